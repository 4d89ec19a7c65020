using System.Globalization;
using System.Text;
using GrayMQ.Broker.Serving;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Headers.Broker;
using GrayMQ.Protocol.Messages;
using GrayMQ.Protocol.Names;

namespace GrayMQ.Broker.Delays;

/// <summary>Messages with a delay level or a time of their own, from the send to the consumer.</summary>
public sealed class DelayedSendTests
{
    private const string Topic = "Delayed";

    private readonly ManualTime _time = new();

    private static Task<RunningBroker> StartAsync(TimeProvider time, params (string Key, string Value)[] settings) =>
        RunningBroker.StartAsync(null, time, settings);

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);

    private static async Task<RemotingCommand> SendDelayedAsync(
        Peer peer, string body, int queueId, params (string Name, string Value)[] properties)
    {
        RemotingCommand reply = await peer.SendAsync(Sends.Header(Topic, queueId, Sends.Properties(properties)), body);
        Assert.True(reply.ResponseCode == ResponseCode.Success, $"{reply.ResponseCode} {reply.Remark}");
        return reply;
    }

    private static async Task<PendingTimers> PendingAsync(Peer peer, long total)
    {
        PendingTimers pending = new();
        await Eventually.TrueAsync(
            () =>
            {
                pending = peer.AskAsync<NoHeader, PendingTimers>(RequestCode.ShowTimers, default).GetAwaiter().GetResult();
                return pending.Total == total;
            },
            $"{total} pending messages");
        return pending;
    }

    [Fact]
    public async Task Level_IsDeliveredWhenItsTimeIsUp()
    {
        await using RunningBroker broker = await StartAsync(_time);
        Peer peer = broker.Connect("p");
        await peer.CreateTopicAsync(Topic, 4);
        RemotingCommand reply = await SendDelayedAsync(peer, "one", 3, ("DELAY", "1"), ("KEYS", "k"));
        var stored = SendMessageResponseHeader.Read(reply.Fields);
        Assert.Equal((3, 0, null), (stored.QueueId, stored.QueueOffset, stored.RecallHandle));

        // Where it waits is what RocketMQ would find.
        ReceivedMessage waiting = await peer.ReadAsync(TopicNames.Schedule, 0, queueId: 0);
        Assert.Equal(("1", Topic, "3"), (waiting.Properties["DELAY"], waiting.Properties["REAL_TOPIC"], waiting.Properties["REAL_QID"]));

        PendingTimers pending = await PendingAsync(peer, 1);
        Assert.Equal(1, pending.ByTopic[Topic]);
        Assert.Equal(1, pending.ByLevel[1]);
        Assert.Equal(_time.NowMs + 1000, pending.NextDue);
        _time.Advance(TimeSpan.FromMilliseconds(999));
        Assert.Equal(0, await peer.MaxOffsetAsync(Topic, 3));
        _time.Advance(TimeSpan.FromMilliseconds(1));

        ReceivedMessage message = await peer.ReadAsync(Topic, 0, queueId: 3);
        Assert.Equal("one", Encoding.UTF8.GetString(message.Body.Span));
        Assert.Equal(~waiting.PhysicalOffset, message.PreparedTransactionOffset);
        Assert.Equal(waiting.Properties, message.Properties);
        Assert.Equal(waiting.BornTimestampMs, message.BornTimestampMs);
        pending = await PendingAsync(peer, 0);
        Assert.Equal(-1, pending.NextDue);
        Assert.Empty(pending.ByTopic);
        Assert.Equal(1, pending.Delivered);
    }

    [Theory]
    [InlineData("2", 5_000, 1)]
    [InlineData("18", 60_000, 2)]
    [InlineData("900", 60_000, 2)]
    public async Task Level_OfOwnLevels_IsDeliveredAsTheySay(string level, int delayMs, int queueId)
    {
        await using RunningBroker broker = await StartAsync(_time, ("messageDelayLevel", "1s 5s 1m"));
        Peer peer = broker.Connect("p");
        await peer.CreateTopicAsync(Topic, 1);
        await SendDelayedAsync(peer, "one", 0, ("DELAY", level), ("TIMER_DELAY_MS", "1"));
        ReceivedMessage waiting = await peer.ReadAsync(TopicNames.Schedule, 0, queueId);
        Assert.Equal(Text(queueId + 1), waiting.Properties["DELAY"]);
        Assert.False(waiting.Properties.ContainsKey("TIMER_DELAY_MS"));
        PendingTimers pending = await PendingAsync(peer, 1);
        Assert.Equal(_time.NowMs + delayMs, pending.NextDue);
        _time.Advance(TimeSpan.FromMilliseconds(delayMs));
        await peer.ReadAsync(Topic, 0);
    }

    [Fact]
    public async Task Times_AreDeliveredWhenTheySay_InTheirOrder()
    {
        await using RunningBroker broker = await StartAsync(_time);
        Peer peer = broker.Connect("p");
        await peer.CreateTopicAsync(Topic, 1);
        long now = _time.NowMs;
        await SendDelayedAsync(peer, "third", 0, ("TIMER_DELAY_SEC", "3"));
        await SendDelayedAsync(peer, "first", 0, ("TIMER_DELAY_MS", "1234"));
        RemotingCommand reply = await SendDelayedAsync(peer, "second", 0, ("TIMER_DELIVER_MS", Text(now + 2345)), ("UNIQ_KEY", "U2"));
        Assert.True(RecallHandle.TryParse(SendMessageResponseHeader.Read(reply.Fields).RecallHandle!, out RecallHandle handle));
        Assert.Equal(new RecallHandle(Topic, RunningBroker.Name, ((now + 2345) / 1000 * 1000) + 1, "U2"), handle);

        foreach ((string body, int offset, int atMs) in new[] { ("first", 0, 1234), ("second", 1, 2345), ("third", 2, 3000) })
        {
            PendingTimers pending = await PendingAsync(peer, 3 - offset);
            Assert.Equal(now + atMs, pending.NextDue);
            _time.Advance(TimeSpan.FromMilliseconds(now + atMs - _time.NowMs));
            ReceivedMessage message = await peer.ReadAsync(Topic, offset);
            Assert.Equal(body, Encoding.UTF8.GetString(message.Body.Span));
            Assert.Equal(Text(_time.NowMs), message.Properties["TIMER_DEQUEUE_MS"]);
            Assert.Equal(Text(now / 1000 * 1000), message.Properties["TIMER_ENQUEUE_MS"]);
            Assert.Equal(Topic, message.Properties["REAL_TOPIC"]);
            Assert.True(message.Properties.ContainsKey("TIMER_OUT_MS"));
        }

        await PendingAsync(peer, 0);
    }

    [Fact]
    public async Task Time_InThePast_IsDeliveredAtOnce()
    {
        await using RunningBroker broker = await StartAsync(_time);
        Peer peer = broker.Connect("p");
        await peer.CreateTopicAsync(Topic, 1);
        RemotingCommand reply = await SendDelayedAsync(peer, "one", 0, ("TIMER_DELIVER_MS", Text(_time.NowMs)));
        Assert.Null(SendMessageResponseHeader.Read(reply.Fields).RecallHandle);
        ReceivedMessage message = await peer.ReadAsync(Topic, 0);
        Assert.False(message.Properties.ContainsKey("REAL_TOPIC"));
        Assert.Equal(0, message.PreparedTransactionOffset);
    }

    [Theory]
    [InlineData("TIMER_DELAY_SEC", "259201")]
    [InlineData("TIMER_DELAY_SEC", "99999999999999999999")]
    [InlineData("TIMER_DELAY_SEC", "9223372036854775807")]
    [InlineData("TIMER_DELAY_MS", "259200001")]
    [InlineData("TIMER_DELIVER_MS", "9223372036854775807")]
    [InlineData("TIMER_DELIVER_MS", "soon")]
    public async Task Time_ThatCannotBe_IsRefused(string name, string value)
    {
        await using RunningBroker broker = await StartAsync(_time);
        Peer peer = broker.Connect("p");
        await peer.CreateTopicAsync(Topic, 1);
        RemotingCommand reply = await peer.SendAsync(Sends.Header(Topic, 0, Sends.Properties((name, value))));
        Assert.Equal(ResponseCode.MessageIllegal, reply.ResponseCode);
        Assert.StartsWith("timer message illegal, the delay time should not be bigger than the max delay 259200000ms", reply.Remark, StringComparison.Ordinal);
        Assert.Equal(0, await peer.MaxOffsetAsync(TopicNames.WheelTimer));
    }

    [Fact]
    public async Task Time_WheelSwitchedOff_IsRefusedAndLevelsAreNot()
    {
        await using RunningBroker broker = await StartAsync(_time, ("timerWheelEnable", "false"));
        Peer peer = broker.Connect("p");
        await peer.CreateTopicAsync(Topic, 1);
        RemotingCommand reply = await peer.SendAsync(Sends.Header(Topic, 0, Sends.Properties(("TIMER_DELAY_MS", "5"))));
        Assert.Equal(ResponseCode.SystemError, reply.ResponseCode);
        Assert.Equal("accurate timer message is not enabled, timerWheelEnable is false", reply.Remark);
        await SendDelayedAsync(peer, "one", 0, ("DELAY", "1"));
    }

    [Fact]
    public async Task Batch_Delayed_IsRefused()
    {
        await using RunningBroker broker = await StartAsync(_time);
        Peer peer = broker.Connect("p");
        await peer.CreateTopicAsync(Topic, 1);
        SendMessageHeader header = Sends.Header(Topic, 0, Sends.Properties(("DELAY", "1"))) with { Batch = true };
        RemotingCommand reply = await peer.AskAsync(RequestCode.SendBatchMessage, header, [1, 2, 3]);
        Assert.Equal(ResponseCode.MessageIllegal, reply.ResponseCode);
        Assert.Contains("delayed", reply.Remark, StringComparison.Ordinal);
    }

    [Fact]
    public async Task TimerTopics_AreKeptFromProducers()
    {
        await using RunningBroker broker = await StartAsync(_time);
        Peer peer = broker.Connect("p");
        await peer.RefusedAsync(ResponseCode.NoPermission, Sends.Header(TopicNames.WheelTimer));
        await peer.RefusedAsync(ResponseCode.NoPermission, Sends.Header(TopicNames.Schedule));
    }

    [Fact]
    public async Task Restart_PendingIsDeliveredOnce_AndDeliveredIsNot()
    {
        await using RunningBroker broker = await StartAsync(_time);
        Peer peer = broker.Connect("p");
        await peer.CreateTopicAsync(Topic, 1);
        await SendDelayedAsync(peer, "done", 0, ("DELAY", "1"));
        await SendDelayedAsync(peer, "level", 0, ("DELAY", "2"));
        await SendDelayedAsync(peer, "time", 0, ("TIMER_DELAY_MS", "6000"));
        await PendingAsync(peer, 3);
        _time.Advance(TimeSpan.FromSeconds(1));
        await peer.ReadAsync(Topic, 0);

        await broker.RestartAsync();
        peer = broker.Connect("p");
        await PendingAsync(peer, 2);
        string offsets = await File.ReadAllTextAsync(
            Path.Combine(broker.StorePath, "config", "delayOffset.json"), TestContext.Current.CancellationToken);
        Assert.Contains("1:1", offsets, StringComparison.Ordinal);
        Assert.Contains("2:0", offsets, StringComparison.Ordinal);

        _time.Advance(TimeSpan.FromSeconds(60));
        Assert.Equal("level", Encoding.UTF8.GetString((await peer.ReadAsync(Topic, 1)).Body.Span));
        Assert.Equal("time", Encoding.UTF8.GetString((await peer.ReadAsync(Topic, 2)).Body.Span));
        await PendingAsync(peer, 0);
        await broker.RestartAsync();
        peer = broker.Connect("p");
        await PendingAsync(peer, 0);
        Assert.Equal(3, await peer.MaxOffsetAsync(Topic));
    }

    [Fact]
    public async Task Restart_StateLost_IsReadFromTheLog()
    {
        await using RunningBroker broker = await StartAsync(_time);
        Peer peer = broker.Connect("p");
        await peer.CreateTopicAsync(Topic, 1);
        await SendDelayedAsync(peer, "done", 0, ("TIMER_DELAY_MS", "100"));
        await SendDelayedAsync(peer, "waits", 0, ("TIMER_DELAY_MS", "6000"));
        await PendingAsync(peer, 2);
        _time.Advance(TimeSpan.FromSeconds(1));
        await peer.ReadAsync(Topic, 0);
        await PendingAsync(peer, 1);
        await broker.StopServingAsync();
        Directory.Delete(Path.Combine(broker.StorePath, "state"), recursive: true);

        await broker.RestartAsync();
        peer = broker.Connect("p");
        PendingTimers pending = await PendingAsync(peer, 1);
        Assert.Equal(1, pending.ByTopic[Topic]);
        _time.Advance(TimeSpan.FromSeconds(10));
        Assert.Equal("waits", Encoding.UTF8.GetString((await peer.ReadAsync(Topic, 1)).Body.Span));
        await PendingAsync(peer, 0);
        Assert.Equal(2, await peer.MaxOffsetAsync(Topic));
    }

    [Fact]
    public async Task Restart_OtherLevels_PendingKeepTheirTimesAndAreDeliveredOnce()
    {
        await using RunningBroker broker = await StartAsync(_time, ("messageDelayLevel", "10s 20s"));
        Peer peer = broker.Connect("p");
        await peer.CreateTopicAsync(Topic, 1);
        await SendDelayedAsync(peer, "old", 0, ("DELAY", "1"));
        long dueMs = (await PendingAsync(peer, 1)).NextDue;

        await broker.RestartAsync(("messageDelayLevel", "30s 40s"));
        peer = broker.Connect("p");
        await SendDelayedAsync(peer, "new", 0, ("DELAY", "1"));
        PendingTimers pending = await PendingAsync(peer, 2);
        Assert.Equal(dueMs, pending.NextDue);
        _time.Advance(TimeSpan.FromSeconds(10));
        Assert.Equal("old", Encoding.UTF8.GetString((await peer.ReadAsync(Topic, 0)).Body.Span));
        pending = await PendingAsync(peer, 1);
        Assert.Equal(dueMs + 20_000, pending.NextDue);
        await broker.RestartAsync();
        peer = broker.Connect("p");
        await PendingAsync(peer, 1);
        _time.Advance(TimeSpan.FromSeconds(20));
        Assert.Equal("new", Encoding.UTF8.GetString((await peer.ReadAsync(Topic, 1)).Body.Span));
        await PendingAsync(peer, 0);
        Assert.Equal(2, await peer.MaxOffsetAsync(Topic));
    }

    [Fact]
    public async Task Delivery_StoreRefuses_IsTriedAgain()
    {
        using var disk = new ScarceDisk();
        await using RunningBroker broker = await RunningBroker.StartAsync(
            disk, _time, [("cleanResourceInterval", "1000"), ("diskSpaceWarningLevelRatio", "90")]);
        Peer peer = broker.Connect("p");
        await peer.CreateTopicAsync(Topic, 1);
        await SendDelayedAsync(peer, "one", 0, ("TIMER_DELAY_MS", "30000"));
        await PendingAsync(peer, 1);
        disk.UsedPercent = 99;
        await Eventually.TrueAsync(
            () =>
            {
                _time.Advance(TimeSpan.FromSeconds(1));
                return peer.SendAsync(Sends.Header(Topic)).GetAwaiter().GetResult().ResponseCode == ResponseCode.ServiceNotAvailable;
            },
            "refusal");
        long max = await peer.MaxOffsetAsync(Topic);
        _time.Advance(TimeSpan.FromSeconds(30));
        PendingTimers pending = await PendingAsync(peer, 1);
        Assert.True(pending.NextDue <= pending.Now);
        disk.UsedPercent = 10;
        await Eventually.TrueAsync(
            () =>
            {
                _time.Advance(TimeSpan.FromSeconds(1));
                return peer.MaxOffsetAsync(Topic).GetAwaiter().GetResult() > max;
            },
            "delivery");
        await PendingAsync(peer, 0);
        Assert.Equal(max + 1, await peer.MaxOffsetAsync(Topic));
    }

    [Fact]
    public async Task Delivery_DiskFails_IsDeliveredAfterTheRestart()
    {
        using var disk = new ScarceDisk();
        await using RunningBroker broker = await RunningBroker.StartAsync(disk, _time, []);
        Peer peer = broker.Connect("p");
        await peer.CreateTopicAsync(Topic, 1);
        await SendDelayedAsync(peer, "one", 0, ("TIMER_DELAY_MS", "30000"));
        await PendingAsync(peer, 1);
        disk.IsBroken = true;
        _time.Advance(TimeSpan.FromSeconds(30));
        await Eventually.TrueAsync(() => disk.BrokenWrites > 0, "a delivery that fails");
        Assert.Equal(ResponseCode.ServiceNotAvailable, (await peer.SendAsync(Sends.Header(Topic))).ResponseCode);
        await PendingAsync(peer, 1);
        disk.IsBroken = false;
        await broker.RestartAsync();
        peer = broker.Connect("p");
        Assert.Equal("one", Encoding.UTF8.GetString((await peer.ReadAsync(Topic, 0)).Body.Span));
        await PendingAsync(peer, 0);
    }

    [Fact]
    public async Task Delivery_FewerQueuesThanBefore_GoesToOneThatIsThere()
    {
        await using RunningBroker broker = await StartAsync(_time);
        Peer peer = broker.Connect("p");
        await peer.CreateTopicAsync(Topic, 4);
        await SendDelayedAsync(peer, "one", 3, ("DELAY", "1"));
        await PendingAsync(peer, 1);
        await peer.CreateTopicAsync(Topic, 2);
        _time.Advance(TimeSpan.FromSeconds(2));
        await peer.ReadAsync(Topic, 0, queueId: 1);
    }

    [Fact]
    public async Task FarAhead_IsRolledAndDeliveredOnceAtItsTime()
    {
        await using RunningBroker broker = await StartAsync(_time, ("timerRollWindowSlot", "10"));
        Peer peer = broker.Connect("p");
        await peer.CreateTopicAsync(Topic, 1);
        long start = _time.NowMs;
        await SendDelayedAsync(peer, "far", 0, ("TIMER_DELAY_MS", "24500"), ("UNIQ_KEY", "far"));
        PendingTimers pending = await PendingAsync(peer, 1);
        Assert.Equal(start + 10_000, pending.NextDue);
        _time.Advance(TimeSpan.FromSeconds(10));
        ReceivedMessage rolled = await peer.ReadAsync(TopicNames.WheelTimer, 1);
        Assert.Equal("1", rolled.Properties["TIMER_ROLL_TIMES"]);
        Assert.Equal(0, await peer.MaxOffsetAsync(Topic));
        await broker.RestartAsync();
        peer = broker.Connect("p");
        pending = await PendingAsync(peer, 1);
        Assert.Equal(start + 20_000, pending.NextDue);
        _time.Advance(TimeSpan.FromSeconds(10));
        Assert.Equal("2", (await peer.ReadAsync(TopicNames.WheelTimer, 2)).Properties["TIMER_ROLL_TIMES"]);
        await Eventually.TrueAsync(() => PendingAsync(peer, 1).GetAwaiter().GetResult().NextDue == start + 24_500, "its own time");
        _time.Advance(TimeSpan.FromMilliseconds(4_499));
        Assert.Equal(0, await peer.MaxOffsetAsync(Topic));
        _time.Advance(TimeSpan.FromMilliseconds(1));
        Assert.Equal("far", Encoding.UTF8.GetString((await peer.ReadAsync(Topic, 0)).Body.Span));
        await PendingAsync(peer, 0);
        Assert.Equal(1, await peer.MaxOffsetAsync(Topic));
    }
}
