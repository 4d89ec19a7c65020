using System.Globalization;
using System.Net.Sockets;
using System.Text;
using GrayMQ.Cli.Tests.Support;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Headers.Broker;
using GrayMQ.Remoting.Clients;
using GrayMQ.Remoting.Dispatch;
using GrayMQ.Testing;
using Microsoft.Extensions.Logging.Abstractions;

namespace GrayMQ.Cli.Tests.Servers;

/// <summary>Processes that hand their listening sockets on, under load.</summary>
public sealed class TakeOverTests
{
    private const string Topic = "Handed";
    private const int Producers = 4;
    private const int MessagesInBetween = 100;

    // Of a stock producer: one try and two retries, without a pause between them.
    private const int Tries = 3;

    private static readonly TimeSpan Deadline = TimeSpan.FromMinutes(3);

    private static string[] Arguments(TempFolder folder, string port, params string[] more) =>
    [
        "broker", "--set", "bindAddress=127.0.0.1", "--set", "brokerIP1=127.0.0.1", "--set", $"listenPort={port}",
        "--set", $"storePathRootDir={folder.PathOf("store")}", "--set", "mappedFileSizeCommitLog=16777216", .. more,
    ];

    private static RemotingClient Connect() =>
        new(RemotingClientOptions.Default, new RequestTable(), TimeProvider.System, NullLoggerFactory.Instance);

    private static async Task SendAsync(RemotingClient client, string broker, int queue, int number)
    {
        var header = new SendMessageHeader
        {
            ProducerGroup = "P"u8.ToArray(),
            Topic = Encoding.UTF8.GetBytes(Topic),
            DefaultTopic = "TBW102"u8.ToArray(),
            DefaultTopicQueueNums = Producers,
            QueueId = queue,
            BornTimestampMs = 1,
        };
        RemotingCommand answer = await client.InvokeAsync(
            broker, RequestCode.SendMessageV2, header, Encoding.UTF8.GetBytes($"{queue}/{number}"), Deadline);
        Assert.True(answer.ResponseCode == ResponseCode.Success, $"{answer.ResponseCode} {answer.Remark}");
    }

    // Messages that are acknowledged may be counted a little later: they are waited for, those beyond them show in the count.
    private static async Task<long> CountAsync(string broker, long acknowledged, int queues = Producers)
    {
        await using RemotingClient client = Connect();
        using var deadline = new CancellationTokenSource(Deadline);
        using var look = new PeriodicTimer(TimeSpan.FromMilliseconds(10));
        while (true)
        {
            long count = 0;
            for (int queue = 0; queue < queues; queue++)
            {
                RemotingCommand answer = await client.InvokeAsync(
                    broker, RequestCode.GetMaxOffset, new QueueHeader(Topic, queue), default, Deadline);
                count += answer.Fields.GetInt64("offset"u8);
            }

            if (count >= acknowledged || deadline.IsCancellationRequested)
            {
                return count;
            }

            await look.WaitForNextTickAsync();
        }
    }

    [Fact]
    public async Task TakeOver_UnderLoad_FailsNoSendAndStoresEachMessageOnce()
    {
        using var folder = new TempFolder();
        string port = $"{FreePorts.TakeForBroker()}";
        string broker = $"127.0.0.1:{port}";
        await using var first = new ChildProcess(Arguments(folder, port));
        await first.WaitForAsync("\n");
        var load = new Load(broker);
        Task producing = load.RunAsync();
        await load.GoOnAsync(MessagesInBetween);

        await using var second = new ChildProcess(Arguments(folder, port, "--take-over", first.Id));
        await second.WaitForAsync("\n");
        Assert.Equal(ExitCode.Success, await first.WaitForExitAsync());
        await load.GoOnAsync(MessagesInBetween);

        // And from that one to the next.
        await using var third = new ChildProcess(Arguments(folder, port, "--take-over", second.Id));
        await third.WaitForAsync("\n");
        Assert.Equal(ExitCode.Success, await second.WaitForExitAsync());
        await load.GoOnAsync(MessagesInBetween);
        load.Stop();
        await producing; // rethrows a send that failed three times

        Assert.Equal(load.Sent, await CountAsync(broker, load.Sent));
        third.Signal("INT");
        Assert.Equal(ExitCode.Success, await third.WaitForExitAsync());
        Assert.False(File.Exists(folder.PathOf("store/takeover")));
    }

    [Fact]
    public async Task TakeOver_OfAnotherProcess_IsRefusedAndTheBrokerGoesOn()
    {
        using var folder = new TempFolder();
        string port = $"{FreePorts.TakeForBroker()}";
        await using var running = new ChildProcess(Arguments(folder, port));
        await running.WaitForAsync("\n");

        string other = Environment.ProcessId.ToString(CultureInfo.InvariantCulture);
        await using var refused = new ChildProcess(Arguments(folder, port, "--take-over", other));

        Assert.Equal(ExitCode.Failure, await refused.WaitForExitAsync());
        Assert.Contains($"belongs to process {running.Id}, not to {other}", refused.Error.Text, StringComparison.Ordinal);
        await using RemotingClient client = Connect();
        await SendAsync(client, $"127.0.0.1:{port}", 0, 0);
    }

    [Fact]
    public async Task TakeOver_WhereNobodyIs_IsAnError()
    {
        using var folder = new TempFolder();
        Directory.CreateDirectory(folder.PathOf("store"));
        await using var refused = new ChildProcess(Arguments(folder, $"{FreePorts.TakeForBroker()}", "--take-over", "1"));
        Assert.Equal(ExitCode.Failure, await refused.WaitForExitAsync());
        Assert.Contains("no server offers to be taken over", refused.Error.Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("namesrv", "go on with another one")]
    [InlineData("standalone", "run broker and name server as two processes")]
    public async Task TakeOver_OfWhatIsNoBrokerAlone_SaysWhyNotAndWhatToDo(string server, string advice)
    {
        CommandResult result = await TestCommand.RunAsync(server, "--take-over", "1");

        Assert.Equal(ExitCode.Usage, result.ExitCode);
        Assert.Contains("--take-over is for graymq broker", result.Error, StringComparison.Ordinal);
        Assert.Contains(advice, result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task SuccessorThatDiesBeforeItGoesOn_LeavesTheBrokerAsItWas()
    {
        using var folder = new TempFolder();
        string port = $"{FreePorts.TakeForBroker()}";
        await using var running = new ChildProcess(Arguments(folder, port));
        await running.WaitForAsync("\n");
        foreach (string said in new[] { "", "nonsense", "GRAYMQ TAKE-OVER 1\n" })
        {
            using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(folder.PathOf("store/takeover")));
            await socket.SendAsync(Encoding.ASCII.GetBytes(said));
        }

        await using RemotingClient client = Connect();
        await SendAsync(client, $"127.0.0.1:{port}", 0, 0);

        // It can still be taken over.
        await using var successor = new ChildProcess(Arguments(folder, port, "--take-over", running.Id));
        await successor.WaitForAsync("\n");
        Assert.Equal(ExitCode.Success, await running.WaitForExitAsync());
        await SendAsync(client, $"127.0.0.1:{port}", 0, 1);
    }

    [Fact]
    public async Task SocketsOfSystemd_OutliveTheBroker_AndWhoeverConnectsWaits()
    {
        using var folder = new TempFolder();
        string port = $"{FreePorts.TakeForBroker()}";
        int number = int.Parse(port, CultureInfo.InvariantCulture);
        using var remoting = new InheritedSocket(number);
        using var vip = new InheritedSocket(number - 2);
        using var stray = new InheritedSocket(FreePorts.Take());

        // Nobody runs yet.
        string broker = $"127.0.0.1:{port}";
        await using RemotingClient early = Connect();
        Task waiting = SendAsync(early, broker, 0, 0);
        await using (ChildProcess first = ChildProcess.WithSockets(
            [remoting, vip, stray], "remoting:vip:stray", Arguments(folder, port)))
        {
            await first.WaitForAsync("\n");
            await waiting;
            await using RemotingClient old = Connect();
            await SendAsync(old, $"127.0.0.1:{number - 2}", 0, 1);
            first.Signal("INT");
            Assert.Equal(ExitCode.Success, await first.WaitForExitAsync());
            Assert.Contains($"Closing the socket on {stray.EndPoint}", first.Error.Text, StringComparison.Ordinal);
        }

        // Between two runs.
        await using RemotingClient late = Connect();
        waiting = SendAsync(late, broker, 0, 2);
        await using ChildProcess second = ChildProcess.WithSockets(
            [remoting, vip], "remoting:vip", Arguments(folder, port));
        await waiting;
        Assert.Equal(3, await CountAsync(broker, 3, queues: 1));
        second.Signal("INT");
        Assert.Equal(ExitCode.Success, await second.WaitForExitAsync());
    }

    /// <summary>Producers that each send to a queue of their own, one message after the other, with the tries of a stock producer.</summary>
    private sealed class Load(string broker)
    {
        private volatile bool _stopped;
        private int _sent;

        /// <summary>Messages that were acknowledged.</summary>
        public int Sent => Volatile.Read(ref _sent);

        public Task RunAsync() => Task.WhenAll(Enumerable.Range(0, Producers).Select(queue => Task.Run(() => ProduceAsync(queue))));

        public void Stop() => _stopped = true;

        /// <summary>Waits until so many more were sent.</summary>
        public async Task GoOnAsync(int messages)
        {
            int until = Sent + messages;
            long begun = TimeProvider.System.GetTimestamp();
            using var look = new PeriodicTimer(TimeSpan.FromMilliseconds(2));
            while (Sent < until)
            {
                Assert.True(TimeProvider.System.GetElapsedTime(begun) < Deadline, $"{Sent} messages were sent, {until} were waited for");
                await look.WaitForNextTickAsync();
            }
        }

        private async Task ProduceAsync(int queue)
        {
            await using RemotingClient client = Connect();
            for (int number = 0; !_stopped; number++)
            {
                for (int left = Tries - 1; ; left--)
                {
                    try
                    {
                        await SendAsync(client, broker, queue, number);
                        Interlocked.Increment(ref _sent);
                        break;
                    }
                    catch (IOException) when (left > 0)
                    {
                        // The connection has ended: tried again at once.
                    }
                }
            }
        }
    }
}
