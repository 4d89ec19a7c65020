using System.Buffers.Text;
using System.Text;
using GrayMQ.Broker.LoadBalancers;
using GrayMQ.Broker.Serving;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Headers.Broker;

namespace GrayMQ.Broker.Delays;

/// <summary>RECALL_MESSAGE: the message of the handle is not delivered, and no other is harmed.</summary>
public sealed class RecallTests
{
    private const string Topic = "Recalled";

    private readonly ManualTime _time = new();

    private static async Task<string> SendAsync(Peer peer, string key, string delayMs = "5000")
    {
        RemotingCommand reply = await peer.SendAsync(
            Sends.Header(Topic, 0, Sends.Properties(("TIMER_DELAY_MS", delayMs), ("UNIQ_KEY", key))), key);
        Assert.Equal(ResponseCode.Success, reply.ResponseCode);
        return SendMessageResponseHeader.Read(reply.Fields).RecallHandle!;
    }

    private static Task<RemotingCommand> RecallAsync(Peer peer, string handle, string topic = Topic) =>
        peer.AskAsync(RequestCode.RecallMessage, new RecallMessageHeader { ProducerGroup = "P", Topic = topic, RecallHandle = handle });

    private static Task PendingAsync(Peer peer, long total) => Eventually.TrueAsync(
        () => peer.AskAsync<NoHeader, PendingTimers>(RequestCode.ShowTimers, default).GetAwaiter().GetResult().Total == total,
        $"{total} pending messages");

    private static string Handle(params string[] parts) => Base64Url.EncodeToString(Encoding.UTF8.GetBytes(string.Join(' ', parts)));

    [Fact]
    public async Task Recall_Pending_IsNeverDelivered_AndOthersAre()
    {
        await using RunningBroker broker = await RunningBroker.StartAsync(null, _time, []);
        Peer peer = broker.Connect("p");
        await peer.CreateTopicAsync(Topic, 1);
        await SendAsync(peer, "before");
        string handle = await SendAsync(peer, "recalled");
        await SendAsync(peer, "after");
        RemotingCommand reply = await RecallAsync(peer, handle);
        Assert.True(reply.ResponseCode == ResponseCode.Success, reply.Remark);
        Assert.Equal("recalled", RecallMessageResponseHeader.Read(reply.Fields).MessageId);
        await PendingAsync(peer, 2);

        // Once more, for a client that has not seen the answer.
        Assert.Equal(ResponseCode.Success, (await RecallAsync(peer, handle)).ResponseCode);
        await broker.RestartAsync();
        peer = broker.Connect("p");
        await PendingAsync(peer, 2);
        _time.Advance(TimeSpan.FromSeconds(6));
        Assert.Equal("before", Encoding.UTF8.GetString((await peer.ReadAsync(Topic, 0)).Body.Span));
        Assert.Equal("after", Encoding.UTF8.GetString((await peer.ReadAsync(Topic, 1)).Body.Span));
        await PendingAsync(peer, 0);
        Assert.Equal(2, await peer.MaxOffsetAsync(Topic));
    }

    [Fact]
    public async Task Recall_Delivered_IsRefused()
    {
        await using RunningBroker broker = await RunningBroker.StartAsync(null, _time, []);
        Peer peer = broker.Connect("p");
        await peer.CreateTopicAsync(Topic, 1);
        string handle = await SendAsync(peer, "one", "100");
        _time.Advance(TimeSpan.FromSeconds(1));
        await peer.ReadAsync(Topic, 0);
        RemotingCommand reply = await RecallAsync(peer, handle);
        Assert.Equal((ResponseCode.IllegalOperation, "recall failed, timestamp invalid"), (reply.ResponseCode, reply.Remark));
    }

    // By the time it is looked for, its time has come; a clock that is set back gives the recall that much room.
    [Fact]
    public async Task Recall_DeliveredMeanwhile_IsNotCalledRecalled()
    {
        await using RunningBroker broker = await RunningBroker.StartAsync(null, _time, []);
        Peer peer = broker.Connect("p");
        await peer.CreateTopicAsync(Topic, 1);
        string delivered = await SendAsync(peer, "delivered", "1000");
        string recalled = await SendAsync(peer, "recalled", "1000");
        Assert.Equal(ResponseCode.Success, (await RecallAsync(peer, recalled)).ResponseCode);
        _time.Advance(TimeSpan.FromSeconds(1));
        await peer.ReadAsync(Topic, 0);
        await PendingAsync(peer, 0);
        _time.Advance(TimeSpan.FromSeconds(-1));

        RemotingCommand reply = await RecallAsync(peer, delivered);

        Assert.Equal((ResponseCode.IllegalOperation, "recall failed, timestamp invalid"), (reply.ResponseCode, reply.Remark));
        Assert.Equal(ResponseCode.Success, (await RecallAsync(peer, recalled)).ResponseCode);
    }

    [Fact]
    public async Task Recall_BadHandles_AreRefusedAndHarmNothing()
    {
        await using RunningBroker broker = await RunningBroker.StartAsync(null, _time, []);
        Peer peer = broker.Connect("p");
        await peer.CreateTopicAsync(Topic, 1);
        await peer.CreateTopicAsync("Other", 1);
        string handle = await SendAsync(peer, "one");
        string time = (_time.NowMs + 4_001).ToString(System.Globalization.CultureInfo.InvariantCulture);
        foreach ((string bad, string topic, ResponseCode code) in new[]
        {
            ("", Topic, ResponseCode.IllegalOperation),
            ("%%%", Topic, ResponseCode.IllegalOperation),
            (Handle("v2", Topic, RunningBroker.Name, time, "one"), Topic, ResponseCode.IllegalOperation),
            (Handle("v1", Topic, RunningBroker.Name), Topic, ResponseCode.IllegalOperation),
            (Handle("v1", Topic, RunningBroker.Name, "soon", "one"), Topic, ResponseCode.IllegalOperation),
            (Handle("v1", Topic, RunningBroker.Name, "1", "one"), Topic, ResponseCode.IllegalOperation),
            (Handle("v1", Topic, RunningBroker.Name, "9223372036854775807", "one"), Topic, ResponseCode.IllegalOperation),
            (Handle("v1", Topic, "broker-b", time, "one"), Topic, ResponseCode.IllegalOperation),
            (Handle("v1", Topic, RunningBroker.Name, time, "another"), Topic, ResponseCode.IllegalOperation),
            (handle, "Other", ResponseCode.IllegalOperation),
            (handle, "Nowhere", ResponseCode.TopicNotExist),
        })
        {
            RemotingCommand reply = await RecallAsync(peer, bad, topic);
            Assert.True(code == reply.ResponseCode, $"{bad} {topic}: {reply.ResponseCode} {reply.Remark}");
        }

        await PendingAsync(peer, 1);
        _time.Advance(TimeSpan.FromSeconds(6));
        await peer.ReadAsync(Topic, 0);
    }

    [Fact]
    public async Task Recall_SwitchedOff_IsForbidden()
    {
        await using RunningBroker broker = await RunningBroker.StartAsync(null, _time, [("recallMessageEnable", "false")]);
        Peer peer = broker.Connect("p");
        await peer.CreateTopicAsync(Topic, 1);
        RemotingCommand reply = await RecallAsync(peer, await SendAsync(peer, "one"));
        Assert.Equal((ResponseCode.NoPermission, "recall failed, operation is forbidden"), (reply.ResponseCode, reply.Remark));
    }

    [Fact]
    public async Task DeleteMessage_OfAnOlderClient_DeletesWhatItNames()
    {
        await using RunningBroker broker = await RunningBroker.StartAsync(null, _time, []);
        Peer peer = broker.Connect("p");
        await peer.CreateTopicAsync(Topic, 1);
        long deliverMs = _time.NowMs + 5000;
        await SendAsync(peer, "one");
        await SendAsync(peer, "two");
        await PendingAsync(peer, 2);
        RemotingCommand reply = await peer.SendAsync(Sends.Header(Topic, 0, Sends.Properties(
            ("TIMER_DELIVER_MS", deliverMs.ToString(System.Globalization.CultureInfo.InvariantCulture)),
            ("TIMER_DEL_UNIQKEY", $"{Topic}+one"),
            ("UNIQ_KEY", "del"))));
        Assert.True(reply.ResponseCode == ResponseCode.Success, reply.Remark);
        await PendingAsync(peer, 1);
        _time.Advance(TimeSpan.FromSeconds(6));
        Assert.Equal("two", Encoding.UTF8.GetString((await peer.ReadAsync(Topic, 0)).Body.Span));
        await PendingAsync(peer, 0);
    }

    [Fact]
    public async Task DeleteMessage_RightBehindWhatItNames_DeletesIt()
    {
        await using RunningBroker broker = await RunningBroker.StartAsync(null, _time, []);
        Peer peer = broker.Connect("p");
        await peer.CreateTopicAsync(Topic, 1);
        string deliverMs = (_time.NowMs + 5000).ToString(System.Globalization.CultureInfo.InvariantCulture);
        byte[] together =
        [
            .. OneWay(Sends.Properties(("TIMER_DELAY_MS", "5000"), ("UNIQ_KEY", "one"))),
            .. OneWay(Sends.Properties(("TIMER_DELIVER_MS", deliverMs), ("TIMER_DEL_UNIQKEY", $"{Topic}+one"), ("UNIQ_KEY", "del"))),
        ];
        using RawPeer raw = await RawPeer.ConnectAsync(broker.EndPoint, "127.0.0.1", together);
        RemotingCommand reply = await raw.AskAsync(
            RequestCode.SendMessageV2, Sends.Header(Topic, 0, Sends.Properties(("TIMER_DELAY_MS", "5000"), ("UNIQ_KEY", "two"))), "two"u8.ToArray());
        Assert.True(reply.ResponseCode == ResponseCode.Success, reply.Remark);
        await PendingAsync(peer, 1);
        _time.Advance(TimeSpan.FromSeconds(6));
        Assert.Equal("two", Encoding.UTF8.GetString((await peer.ReadAsync(Topic, 0)).Body.Span));
    }

    private static byte[] OneWay(string properties)
    {
        var buffer = new HeaderBuffer();
        CommandWriter.WriteRequest(
            buffer, SerializeType.Json, RequestCode.SendMessageV2, opaque: 0, oneWay: true, Sends.Header(Topic, 0, properties), bodyLength: 1);
        return [.. buffer.Written, (byte)'1'];
    }

    [Fact]
    public void Handle_IsWhatRocketMqMakes()
    {
        // From a recording of RocketMQ 5.3.3.
        const string Recorded =
            "djEgR29sZGVuZGVsYXl0aW1lcnJlY2FsbCBicm9rZXItYSAxNzk1MjkzNzUyMDAxIEMwMDAwMjAyNzEwNDVGRkQyQjI3NkI3MDc4NDIwMDAz";
        var handle = new RecallHandle("Goldendelaytimerrecall", "broker-a", 1795293752001, "C000020271045FFD2B276B7078420003");
        Assert.Equal(Recorded, handle.ToString());
        Assert.True(RecallHandle.TryParse(Recorded, out RecallHandle parsed));
        Assert.Equal(handle, parsed);

        // With padding.
        Assert.EndsWith("=", (handle with { UniqueKey = "C" }).ToString(), StringComparison.Ordinal);
        Assert.True(RecallHandle.TryParse((handle with { UniqueKey = "C" }).ToString(), out parsed));
        Assert.Equal("C", parsed.UniqueKey);
    }
}
