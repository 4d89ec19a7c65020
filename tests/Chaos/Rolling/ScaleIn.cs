using System.Diagnostics;
using System.Globalization;
using System.Text;
using GrayMQ.Chaos.Clusters;
using GrayMQ.Chaos.Rolling.Stock;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Headers.Broker;
using GrayMQ.Protocol.Headers.NameServer;
using GrayMQ.Protocol.Messages;
using GrayMQ.Remoting.Clients;
using GrayMQ.Remoting.Dispatch;
using Microsoft.Extensions.Logging.Abstractions;

namespace GrayMQ.Chaos.Rolling;

/// <summary>
/// A broker leaves for good while there is work left that nobody else can do: the backlog of a group that is away and comes late, delayed
/// messages, and popped messages whose acks come late. It has to name each of them, to wait for all, and to leave nothing behind.
/// </summary>
/// <param name="command">The graymq command.</param>
/// <param name="quiet">How long the broker waits for producers: what is left outlasts that.</param>
internal sealed class ScaleIn(string command, BrokerNode leaving, LoadSettings settings, TimeSpan quiet, Timeline timeline)
    : IAsyncDisposable
{
    /// <summary>On all brokers; its messages are sent to the one that leaves.</summary>
    public const string Topic = "RollingLeft";

    private const int Queues = 4;
    private const int First = 100;
    private const int Backlog = 400;
    private const int Delayed = 200;
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan CallTimeout = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan LookInterval = TimeSpan.FromMilliseconds(20);

    private readonly RemotingClient _client =
        new(RemotingClientOptions.Default, new RequestTable(), TimeProvider.System, NullLoggerFactory.Instance);

    private readonly SendRecord _sends = new(Topic, timeline);
    private readonly List<GroupRecord> _groups = [];
    private readonly List<StockClient> _consumers = [];

    /// <summary>What was sent to the broker that leaves.</summary>
    public SendRecord Sends => _sends;

    /// <summary>The group that is away for a while, and the one that acks late.</summary>
    public IReadOnlyList<GroupRecord> Groups => _groups;

    /// <summary>Leaves work at the broker, has it leave, and sees to it that it ends in good order with nothing left.</summary>
    /// <exception cref="InvalidOperationException">It did not wait, left something behind, or stays in the routes.</exception>
    public async Task RunAsync(CancellationToken cancel)
    {
        using var limited = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        limited.CancelAfter(Limit);
        cancel = limited.Token;
        double begun = timeline.Seconds;
        GroupRecord away = await LeaveWorkAsync(cancel);
        timeline.Say($"{leaving.Name} leaves for good");
        await using var drain = new ServerProcess(
            command, ["drain", leaving.Name, "--scale-in", "--wait", "--namesrv", settings.NameServerList]);
        string left = await UntilListedAsync(away, cancel);
        timeline.Say($"it waits for {left}");
        if (drain.HasExited)
        {
            throw new InvalidOperationException($"it was gone before what is left was consumed:\n{drain.Log}");
        }

        await StartAsync(new StockPullConsumer(settings, away));
        timeline.Say("the group that was away is there");
        await drain.WaitForExitAsync(cancel);
        timeline.Say("it has left");
        await CheckGoneAsync(cancel);
        await leaving.StopAsync("TERM", cancel);
        timeline.Say("its process has ended");
        timeline.EndBand(begun);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (StockClient consumer in _consumers)
        {
            await consumer.DisposeAsync();
        }

        await _client.DisposeAsync();
    }

    // A broker waits for groups that it has heard of: the one that will be away has been there before.
    private async Task<GroupRecord> LeaveWorkAsync(CancellationToken cancel)
    {
        TimeSpan outlasting = quiet + TimeSpan.FromSeconds(15);
        var away = new GroupRecord("stock-away", _sends, timeline, tellsConfirmed: true);
        var slow = new GroupRecord("stock-pop-late", _sends, timeline, tellsConfirmed: true);
        _groups.AddRange([away, slow]);
        await StartAsync(new StockPopConsumer(settings, slow, ackAfter: outlasting));
        await using (var before = new StockPullConsumer(settings, away))
        {
            await before.StartAsync();
            await SendAsync(First, "first", delay: null, cancel);
            while (away.Missing.Count > 0)
            {
                await Task.Delay(LookInterval, cancel);
            }
        }

        await SendAsync(Delayed, "delayed", outlasting + TimeSpan.FromSeconds(10), cancel);
        await SendAsync(Backlog, "backlog", delay: null, cancel);
        return away;
    }

    private async Task StartAsync(StockClient consumer)
    {
        _consumers.Add(consumer);
        await consumer.StartAsync();
    }

    private async Task SendAsync(int count, string name, TimeSpan? delay, CancellationToken cancel)
    {
        for (int number = 0; number < count; number++)
        {
            string body = $"{name}-{number}";
            var properties = new Dictionary<string, string> { [MessageProperty.UniqueKey] = body };
            if (delay is { } time)
            {
                properties[MessageProperty.TimerDelayMs] = time.TotalMilliseconds.ToString("F0", CultureInfo.InvariantCulture);
            }

            SendMessageHeader header = StockSend.Header("rolling-left", Topic, Queues, number % Queues) with
            {
                Properties = MessagePropertiesCodec.ToBytes(properties),
            };
            long begun = Stopwatch.GetTimestamp();
            RemotingCommand answer = await _client.InvokeAsync(
                leaving.Address, RequestCode.SendMessageV2, header, Encoding.UTF8.GetBytes(body), CallTimeout, cancel);
            if (answer.ResponseCode == ResponseCode.Success)
            {
                _sends.Acknowledge(body, begun);
            }
            else
            {
                _sends.Fail(name, $"{answer.ResponseCode} {answer.Remark}", begun);
            }
        }
    }

    // All of it at once, in the words that an operator is shown.
    private async Task<string> UntilListedAsync(GroupRecord away, CancellationToken cancel)
    {
        string listed = "";
        string[] expected = [$"messages for group {away.Name}*", "delayed messages", "messages that were popped"];
        await leaving.UntilAsync(
            report =>
            {
                listed = report.WaitingFor ?? "";
                return Array.TrueForAll(expected, part => listed.Contains(part, StringComparison.Ordinal))
                    && report.Backlog.ContainsKey($"{away.Name}*") && report is { Delayed: > 0, PopsInFlight: > 0 };
            },
            "names what it waits for",
            cancel);
        return listed;
    }

    private async Task CheckGoneAsync(CancellationToken cancel)
    {
        LifecycleReport? report = await leaving.ShowAsync(cancel);
        if (report is not { State: "drained", Backlog.Count: 0, DeadLetters.Count: 0, Delayed: 0, Transactions: 0, PopsInFlight: 0, Uncommitted: 0 })
        {
            throw new InvalidOperationException($"{leaving.Name} left something behind: {report}");
        }

        foreach (string nameServer in settings.NameServers)
        {
            RemotingCommand answer = await _client.InvokeAsync(
                nameServer, RequestCode.GetRouteInfoByTopic, new GetRouteInfoHeader(Topic), default, CallTimeout, cancel);
            if (BodyCodec.Decode<TopicRouteData>(answer.Body).BrokerDatas.Exists(broker => broker.BrokerName == leaving.Name))
            {
                throw new InvalidOperationException($"{leaving.Name} is in the routes of {nameServer}");
            }
        }
    }
}
