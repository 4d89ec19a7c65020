using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace GrayMQ.Compatibility.Tests.Wire;

/// <summary>A client's connection that sends frames as they are and reads them in the order in which they are asked for.</summary>
internal sealed class WireConnection : IDisposable
{
    private const int MaxFrameBytes = 16 * 1024 * 1024;

    /// <summary>How long a frame that must come may take.</summary>
    public static readonly TimeSpan Deadline = TimeSpan.FromSeconds(60);

    private readonly Socket _socket;
    private readonly List<WireFrame> _unclaimed = [];

    public WireConnection(Socket socket) => _socket = socket;

    /// <summary>This side's address, as the server sees it.</summary>
    public IPEndPoint LocalEndPoint => (IPEndPoint)_socket.LocalEndPoint!;

    public static async Task<WireConnection> OpenAsync(IPEndPoint server)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(server);
        return new WireConnection(socket);
    }

    public async Task SendAsync(byte[] frame)
    {
        using var limit = new CancellationTokenSource(Deadline);
        for (int sent = 0; sent < frame.Length;)
        {
            sent += await _socket.SendAsync(frame.AsMemory(sent), limit.Token);
        }
    }

    /// <summary>The first frame that matches, now or within the deadline; others are kept for later calls.</summary>
    public async Task<WireFrame> ReceiveAsync(Func<WireFrame, bool> matches, string what)
    {
        int kept = _unclaimed.FindIndex(frame => matches(frame));
        if (kept >= 0)
        {
            WireFrame found = _unclaimed[kept];
            _unclaimed.RemoveAt(kept);
            return found;
        }

        using var limit = new CancellationTokenSource(Deadline);
        try
        {
            while (true)
            {
                WireFrame frame = await ReadAsync(limit.Token);
                if (matches(frame))
                {
                    return frame;
                }

                _unclaimed.Add(frame);
            }
        }
        catch (OperationCanceledException)
        {
            Assert.Fail($"not within {Deadline.TotalSeconds} s: {what}; came instead: {string.Join(" | ", _unclaimed)}");
            throw;
        }
    }

    /// <summary>Sends a request and reads its answer.</summary>
    public async Task<WireFrame> AskAsync(byte[] request)
    {
        WireFrame sent = WireFrame.Decode(request);
        await SendAsync(request);
        return await ReceiveAsync(frame => frame.IsResponse && frame.Opaque == sent.Opaque, $"the answer to request {sent.Code}");
    }

    /// <summary>What has come and was not asked for.</summary>
    public async Task<IReadOnlyList<WireFrame>> DrainAsync()
    {
        using var limit = new CancellationTokenSource(Deadline);
        while (_socket.Available > 0)
        {
            _unclaimed.Add(await ReadAsync(limit.Token));
        }

        return _unclaimed;
    }

    /// <summary>The next frame; null when the peer has closed the connection.</summary>
    public async Task<WireFrame?> TryReadAsync(CancellationToken cancel)
    {
        var length = new byte[sizeof(int)];
        if (await ReadAsync(length, cancel) == 0)
        {
            return null;
        }

        int count = BinaryPrimitives.ReadInt32BigEndian(length);
        Assert.InRange(count, sizeof(int), MaxFrameBytes);
        var rest = new byte[count];
        Assert.Equal(count, await ReadAsync(rest, cancel));
        return WireFrame.Decode([.. length, .. rest]);
    }

    private async Task<WireFrame> ReadAsync(CancellationToken cancel)
    {
        WireFrame? frame = await TryReadAsync(cancel);
        Assert.True(frame is not null, "the server closed the connection");
        return frame;
    }

    // Fills the buffer, or ends early where the connection ends.
    private async Task<int> ReadAsync(byte[] buffer, CancellationToken cancel)
    {
        int read = 0;
        while (read < buffer.Length)
        {
            int more = await _socket.ReceiveAsync(buffer.AsMemory(read), cancel);
            if (more == 0)
            {
                break;
            }

            read += more;
        }

        return read;
    }

    public void Dispose() => _socket.Dispose();
}
