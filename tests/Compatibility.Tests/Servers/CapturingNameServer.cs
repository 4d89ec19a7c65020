using System.Net;
using System.Net.Sockets;
using GrayMQ.Compatibility.Tests.Wire;

namespace GrayMQ.Compatibility.Tests.Servers;

/// <summary>Listens in a name server's place, keeps every request, and answers each with success.</summary>
internal sealed class CapturingNameServer : IAsyncDisposable
{
    // Requests of GrayMQ's own are beyond.
    private const int FirstOwnCode = 30_000;

    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stopping = new();
    private readonly TaskCompletionSource<WireFrame> _first = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Task _serving;

    public CapturingNameServer()
    {
        _listener.Start();
        _serving = ServeAsync();
    }

    public IPEndPoint EndPoint => (IPEndPoint)_listener.LocalEndpoint;

    /// <summary>The first request that comes of those that RocketMQ has.</summary>
    public Task<WireFrame> FirstRequestAsync() => _first.Task.WaitAsync(WireConnection.Deadline);

    private async Task ServeAsync()
    {
        try
        {
            while (true)
            {
                using Socket socket = await _listener.AcceptSocketAsync(_stopping.Token);
                await AnswerAsync(new WireConnection(socket));
            }
        }
        catch (OperationCanceledException)
        {
            // The test is over.
        }
    }

    private async Task AnswerAsync(WireConnection connection)
    {
        while (await connection.TryReadAsync(_stopping.Token) is { } request)
        {
            await connection.SendAsync(WireFrames.Success(request.Opaque));
            if (request.Code < FirstOwnCode)
            {
                _first.TrySetResult(request);
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await _serving;
        _listener.Dispose();
        _stopping.Dispose();
    }
}
