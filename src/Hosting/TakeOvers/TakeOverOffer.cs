using System.Net.Sockets;
using Microsoft.Extensions.Logging;

namespace GrayMQ.Hosting.TakeOvers;

/// <summary>
/// A running server's offer to whoever is to take its place: its listening sockets, for a process of the same user. See
/// <see cref="TakeOverConversation"/>.
/// </summary>
public sealed class TakeOverOffer : IAsyncDisposable
{
    private static readonly TimeSpan MessageTimeout = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan AcceptRetryDelay = TimeSpan.FromMilliseconds(100);

    private readonly string _path;
    private readonly Func<IReadOnlyList<Socket>> _sockets;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly Socket _listener = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
    private readonly CancellationTokenSource _closing = new();
    private readonly TaskCompletionSource _accepted = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Task _serving;

    private TakeOverOffer(string path, Func<IReadOnlyList<Socket>> sockets, TimeProvider time, ILogger logger)
    {
        _path = path;
        _sockets = sockets;
        _time = time;
        _logger = logger;
        _listener.Bind(new UnixDomainSocketEndPoint(path));
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        }

        _listener.Listen();
        _serving = Task.Run(ServeAsync);
    }

    /// <summary>Completes when a successor has the sockets and waits for this process to end.</summary>
    public Task Accepted => _accepted.Task;

    /// <summary>Makes the offer; null, with a line in the log, where it cannot be made: that stops no server.</summary>
    /// <param name="storeDirectory">Locked by this process.</param>
    /// <param name="sockets">What the successor is given.</param>
    public static TakeOverOffer? Open(string storeDirectory, Func<IReadOnlyList<Socket>> sockets, TimeProvider time, ILogger logger)
    {
        string path = TakeOverConversation.PathIn(storeDirectory);
        if (TakeOverConversation.IsTooLong(path))
        {
            Log.OfferNotMade(logger, path, $"a Unix socket's path has {TakeOverConversation.MaxPathBytes} bytes at most");
            return null;
        }

        try
        {
            // That of a process that was killed: whoever has the store's lock is the only one there.
            File.Delete(path);
            return new TakeOverOffer(path, sockets, time, logger);
        }
        catch (Exception e) when (e is SocketException or IOException or UnauthorizedAccessException)
        {
            Log.OfferNotMade(logger, path, e.Message);
            return null;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _closing.CancelAsync().ConfigureAwait(false);
        _listener.Dispose();
        await _serving.ConfigureAwait(false);
        _closing.Dispose();
        try
        {
            File.Delete(_path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Log.OfferNotWithdrawn(_logger, _path, e.Message);
        }
    }

    // One after the other: there can be one successor only.
    private async Task ServeAsync()
    {
        while (!_accepted.Task.IsCompleted)
        {
            try
            {
                using Socket peer = await _listener.AcceptAsync(_closing.Token).ConfigureAwait(false);
                if (await ServeAsync(peer).ConfigureAwait(false))
                {
                    _accepted.TrySetResult();
                }
            }
            catch (Exception e) when (e is OperationCanceledException or SocketException or IOException or ObjectDisposedException)
            {
                if (_closing.IsCancellationRequested)
                {
                    return;
                }

                Log.TakeOverFailed(_logger, e.Message);
                await Task.Delay(AcceptRetryDelay, _time, CancellationToken.None).ConfigureAwait(false);
            }
        }
    }

    private async Task<bool> ServeAsync(Socket peer)
    {
        (int processId, uint user) = PassedSockets.PeerOf(peer);
        if (user != Libc.EffectiveUser() && user != 0)
        {
            Log.TakeOverRefused(_logger, processId, user);
            return false;
        }

        if (!await IsNextAsync(peer, TakeOverConversation.Request.ToArray()).ConfigureAwait(false))
        {
            Log.TakeOverFailed(_logger, $"process {processId} did not ask for the sockets");
            return false;
        }

        PassedSockets.Send(peer, TakeOverConversation.Sockets, _sockets());
        if (!await IsNextAsync(peer, TakeOverConversation.Go.ToArray()).ConfigureAwait(false))
        {
            Log.TakeOverFailed(_logger, $"process {processId} has the sockets and did not say that it goes on");
            return false;
        }

        Log.TakenOver(_logger, processId);
        return true;
    }

    private async Task<bool> IsNextAsync(Socket peer, byte[] expected)
    {
        using var timeout = new CancellationTokenSource(MessageTimeout, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(_closing.Token, timeout.Token);
        byte[] received = new byte[expected.Length];
        int count = 0;
        while (count < received.Length)
        {
            int read = await peer.ReceiveAsync(received.AsMemory(count), either.Token).ConfigureAwait(false);
            if (read == 0)
            {
                return false;
            }

            count += read;
        }

        return received.AsSpan().SequenceEqual(expected);
    }
}
