using System.Diagnostics;
using System.Globalization;
using System.Net;

namespace GrayMQ.Load;

/// <summary>The runs that the load offers.</summary>
internal static class Scenarios
{
    public static Task<LoadResult> SendAsync(string name, LoadOptions options, CancellationToken cancel) =>
        LoadRun.RunAsync(name, options, index => new SendConnection(options, index), cancel);

    public static Task<LoadResult> PullAsync(string name, LoadOptions options, CancellationToken cancel) =>
        LoadRun.RunAsync(name, options, index => new PullConnection(options, index), cancel);

    /// <summary>
    /// Measures the broker beside a bare echo, turn about, with the sizes of the same requests and replies: 64 connections with one
    /// request each in flight, 4 connections with 32 each, and pulls.
    /// </summary>
    /// <param name="rounds">
    /// Times that each is measured: the ratios of one round are of runs that follow each other at once, and what is told is their median,
    /// which a machine that goes faster and slower by itself does not move.
    /// </param>
    public static async Task CompareAsync(LoadOptions options, int echoPort, int rounds, CancellationToken cancel)
    {
        int replyBytes = await Probe.ReplyBytesAsync(options, cancel);
        using Process echo = StartEcho(echoPort, replyBytes);
        try
        {
            await Probe.WaitForListenerAsync(echoPort, cancel);
            var echoOptions = options with
            {
                Broker = new IPEndPoint(IPAddress.Loopback, echoPort),
                ProcessId = echo.Id,
                HttpPort = null,
            };
            Console.WriteLine($"1 request with {options.BodyBytes} bytes of body, replies of {replyBytes} bytes");
            Console.WriteLine(LoadResult.Head);
            var single = new { Connections = 64, InFlight = 1 };
            var window = new { Connections = 4, InFlight = 32 };
            List<double> cpu = [], instructions = [], rate = [];
            for (int round = 0; round < rounds; round++)
            {
                LoadResult echoSingle = await Run("echo 64x1", echoOptions, single.Connections, single.InFlight);
                LoadResult sendSingle = await Run("send 64x1", options, single.Connections, single.InFlight);
                LoadResult echoWindow = await Run("echo 4x32", echoOptions, window.Connections, window.InFlight);
                LoadResult sendWindow = await Run("send 4x32", options, window.Connections, window.InFlight);
                cpu.Add(sendSingle.CpuMicroseconds / echoSingle.CpuMicroseconds);
                instructions.Add(sendSingle.Instructions / echoSingle.Instructions);
                rate.Add(sendWindow.PerSecond / echoWindow.PerSecond);
            }

            await Run("send 4x250", options, connections: 4, inFlight: 250);
            LoadOptions recent = await RecentMessages.SendAsync(options with { Connections = 4, InFlight = 1 }, cancel);
            Console.WriteLine(await PullAsync("pull 4x1", recent, cancel));
            Compare("64x1: CPU of send / echo", cpu);
            Compare("64x1: instructions of send / echo", instructions);
            Compare("4x32: rate of send / echo", rate);
        }
        finally
        {
            echo.Kill();
        }

        static void Compare(string what, List<double> ratios)
        {
            ratios.Sort();
            double median = (ratios[(ratios.Count - 1) / 2] + ratios[ratios.Count / 2]) / 2;
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture, $"{what} {median:F2} (median of {ratios.Count}, {ratios[0]:F2} to {ratios[^1]:F2})"));
        }

        async Task<LoadResult> Run(string name, LoadOptions with, int connections, int inFlight)
        {
            LoadResult result = await SendAsync(name, with with { Connections = connections, InFlight = inFlight }, cancel);
            Console.WriteLine(result);
            return result;
        }
    }

    /// <summary>
    /// Measures pops beside pulls and the bare echo, in one run over the same messages: batches with batch acks that are under way
    /// beside the next pop, single acks with one request in flight on each connection, and how soon a pop that waits is answered.
    /// </summary>
    public static async Task ComparePopsAsync(LoadOptions options, int echoPort, CancellationToken cancel)
    {
        int replyBytes = await Probe.ReplyBytesAsync(options, cancel);
        using Process echo = StartEcho(echoPort, replyBytes);
        try
        {
            await Probe.WaitForListenerAsync(echoPort, cancel);
            LoadOptions few = await RecentMessages.SendAsync(options with { Connections = 4, InFlight = 1 }, cancel);
            LoadOptions many = few with { Connections = 64 };
            LoadOptions echoOptions = many with
            {
                Broker = new IPEndPoint(IPAddress.Loopback, echoPort),
                ProcessId = echo.Id,
                HttpPort = null,
            };
            Console.WriteLine(LoadResult.Head);
            LoadResult echoes = Print(await SendAsync("echo 64x1", echoOptions, cancel));
            LoadResult pulls = Print(await PullAsync("pull 4x1", few, cancel));
            await RecentMessages.BeginPopsAsync(few, cancel);
            LoadResult pops = Print(await PopAsync("pop 4x1, batch acks", few, PopAcks.BatchBeside, cancel));
            LoadResult singles = Print(await PopAsync("pop 64x1, single acks", many, PopAcks.Single, cancel));
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture, $"rate of pop with batch acks / pull {pops.PerSecond / pulls.PerSecond:P0}"));
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture, $"CPU of a message with its single ack / echo {singles.CpuMicroseconds / echoes.CpuMicroseconds:F2}"));
            Console.WriteLine(WakeUp.Text(await WakeUp.RunAsync(options with { Topic = options.Topic + "Idle" }, times: 1000, cancel)));
        }
        finally
        {
            echo.Kill();
        }

        LoadResult Print(LoadResult result)
        {
            Console.WriteLine(result);
            return result;
        }
    }

    /// <summary>
    /// Measures gRPC beside the remoting protocol, in one run over the same topic: sends, and receives with acks beside pops with batch
    /// acks.
    /// </summary>
    public static async Task CompareGrpcAsync(LoadOptions options, CancellationToken cancel)
    {
        LoadOptions few = options with { Connections = 4, InFlight = 1 };
        LoadOptions window = options with { Connections = 4, InFlight = 32 };
        Console.WriteLine(LoadResult.Head);
        using (var first = new GrpcReceiveClient(few, index: 0) { Ending = true })
        {
            // A new group begins with what comes next.
            await first.ReceiveOnceAsync(cancel);
        }

        LoadResult sends = Print(await SendAsync("send 4x32", window, cancel));
        LoadResult grpcSends = Print(await LoadRun.RunAsync("gRPC send 4x32", window, index => new GrpcSendClient(window, index), cancel));
        LoadResult pops = Print(await PopAsync("pop 4x1, batch acks", few, PopAcks.Batch, cancel));
        LoadResult receives = Print(await LoadRun.RunAsync(
            "gRPC receive 4x1, acks", few, index => new GrpcReceiveClient(few, index), cancel));
        Compare("a send", grpcSends, sends);
        Compare("a message received and acked", receives, pops);

        static void Compare(string what, LoadResult grpc, LoadResult remoting) => Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{what}, gRPC / remoting: CPU {grpc.CpuMicroseconds / remoting.CpuMicroseconds:F2}, instructions {grpc.Instructions / remoting.Instructions:F2}"));

        LoadResult Print(LoadResult result)
        {
            Console.WriteLine(result);
            return result;
        }
    }

    public static Task<LoadResult> PopAsync(string name, LoadOptions options, PopAcks acks, CancellationToken cancel) =>
        LoadRun.RunAsync(name, options, index => new PopConnection(options, index, acks), cancel);

    private static Process StartEcho(int port, int replyBytes)
    {
        string assembly = typeof(Scenarios).Assembly.Location;
        return Process.Start(new ProcessStartInfo(
            "dotnet",
            [assembly, "echo-server", "--echo-port", port.ToString(CultureInfo.InvariantCulture), "--reply-bytes", replyBytes.ToString(CultureInfo.InvariantCulture)])
        {
            RedirectStandardOutput = true,
        })!;
    }
}
