using System.Buffers.Binary;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using GrayMQ.Protocol.Commands;

namespace GrayMQ.Load;

/// <summary>
/// Connections opened one after the other and left again, each in one of the ways of those who do not know the protocol or do not keep to it:
/// the server is to come to nothing by them, in memory or in open sockets, and to serve others all the while.
/// </summary>
internal sealed class AbandonedConnections(LoadOptions options, int count)
{
    private const int Workers = 8;
    private const int Reports = 10;

    // Ports of one address run out, since a connection that was left keeps its port for a minute.
    private const int SourceAddresses = 64;
    private const long MaxGrowthBytes = 32L << 20;
    private const int ReceiveTimeoutMs = 30_000;

    private readonly int _process = options.ProcessId ?? throw new InvalidOperationException("the broker's process is not to be seen");
    private readonly byte[] _request = RequestTemplate.Rewind(options.SerializeType, options.Topic, queueId: 0, start: 0, RequestTemplate.Opaque);
    private int _opened;

    /// <exception cref="InvalidOperationException">Memory has grown, or connections have stayed open.</exception>
    /// <exception cref="IOException">A connection that did nothing wrong was closed.</exception>
    public async Task RunAsync(CancellationToken cancel)
    {
        using Socket good = Connect(0);
        Ask(good);
        int sockets = Sockets();
        using var done = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        Task asking = AskAgainAsync(good, done.Token);
        Console.WriteLine($"{"connections",11} {"per s",8} {"anon MB",8} {"sockets",10}");
        long started = Stopwatch.GetTimestamp();
        long early = 0;
        for (int report = 1; report <= Reports; report++)
        {
            int until = (int)((long)count * report / Reports);
            await Task.WhenAll(Enumerable.Range(0, Workers).Select(_ => Task.Factory.StartNew(
                () => Open(until, cancel), cancel, TaskCreationOptions.LongRunning, TaskScheduler.Default)));
            long bytes = ProcessUsage.Read(_process).AnonymousBytes;
            early = report == 1 ? bytes : early;
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{until,11} {until / Stopwatch.GetElapsedTime(started).TotalSeconds,8:F0} {bytes / 1e6,8:F1} {Sockets(),10}"));
            if (bytes - early > MaxGrowthBytes)
            {
                throw new InvalidOperationException($"anonymous memory has grown by more than {MaxGrowthBytes} bytes");
            }
        }

        await done.CancelAsync();
        await asking;
        if (!SpinWait.SpinUntil(() => Sockets() <= sockets, ReceiveTimeoutMs))
        {
            throw new InvalidOperationException($"{Sockets() - sockets} sockets more are open than before");
        }
    }

    private void Open(int until, CancellationToken cancel)
    {
        while (!cancel.IsCancellationRequested)
        {
            int index = Interlocked.Increment(ref _opened) - 1;
            if (index >= until)
            {
                Interlocked.Decrement(ref _opened);
                return;
            }

            try
            {
                using Socket socket = Connect(index);
                Misbehave(socket, index);
            }
            catch (SocketException e) when (e.SocketErrorCode is SocketError.ConnectionReset or SocketError.Shutdown)
            {
                // Closed while it was still being sent to.
            }
        }
    }

    private void Misbehave(Socket socket, int index)
    {
        switch (index % 8)
        {
            case 0: // says nothing
                break;
            case 1: // says nothing, and resets
                socket.LingerState = new LingerOption(true, 0);
                break;
            case 2: // part of a length
                socket.Send(_request.AsSpan(0, 3));
                break;
            case 3: // half a request, and resets
                socket.Send(_request.AsSpan(0, _request.Length / 2));
                socket.LingerState = new LingerOption(true, 0);
                break;
            case 4: // a frame of 2 GiB
                socket.Send([0x7F, 0xFF, 0xFF, 0xFF, 0, 0, 0, 1]);
                ReadToEnd(socket);
                break;
            case 5: // another protocol
                socket.Send("GET / HTTP/1.1\r\nHost: broker\r\n\r\n"u8);
                ReadToEnd(socket);
                break;
            case 6: // a header that is no JSON
                byte[] broken = [.. _request];
                broken.AsSpan(Frame.PrefixBytes, 4).Fill((byte)'}');
                socket.Send(broken);
                socket.Shutdown(SocketShutdown.Send);
                ReadToEnd(socket);
                break;
            default: // a request that nobody waits to be answered
                socket.Send(_request);
                break;
        }
    }

    private Socket Connect(int index)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true, ReceiveTimeout = ReceiveTimeoutMs };
        if (IPAddress.IsLoopback(options.Broker.Address) && options.Broker.AddressFamily == AddressFamily.InterNetwork)
        {
            socket.Bind(new IPEndPoint(new IPAddress([127, 0, 0, (byte)(1 + (index % SourceAddresses))]), 0));
        }

        socket.Connect(options.Broker);
        return socket;
    }

    private async Task AskAgainAsync(Socket socket, CancellationToken cancel)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromSeconds(1));
        try
        {
            while (await timer.WaitForNextTickAsync(cancel))
            {
                Ask(socket);
            }
        }
        catch (OperationCanceledException)
        {
            // The run is over.
        }
    }

    private void Ask(Socket socket)
    {
        socket.Send(_request);
        byte[] length = new byte[sizeof(int)];
        Fill(socket, length);
        Fill(socket, new byte[BinaryPrimitives.ReadInt32BigEndian(length)]);
    }

    private static void Fill(Socket socket, Span<byte> buffer)
    {
        while (!buffer.IsEmpty)
        {
            int read = socket.Receive(buffer);
            buffer = read > 0 ? buffer[read..] : throw new IOException("a connection that did nothing wrong was closed");
        }
    }

    private static void ReadToEnd(Socket socket)
    {
        Span<byte> buffer = stackalloc byte[4_096];
        while (socket.Receive(buffer) > 0)
        {
            // Whether it is answered or closed, is for tests to judge.
        }
    }

    // Of the server. A descriptor may be gone before it is looked at.
    private int Sockets() => Directory.GetFiles($"/proc/{_process}/fd").Count(file =>
    {
        try
        {
            return new FileInfo(file).LinkTarget?.StartsWith("socket:", StringComparison.Ordinal) ?? false;
        }
        catch (IOException)
        {
            return false;
        }
    });
}
