using System.Text;
using GrayMQ.Broker.Serving;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Headers.Broker;
using GrayMQ.Protocol.Messages;
using GrayMQ.Remoting.Dispatch;

namespace GrayMQ.Broker.Replies;

public sealed class ReplyTests
{
    private const string ReplyTopic = RunningBroker.Cluster + "_REPLY_TOPIC";

    [Fact]
    public async Task Reply_ToAProducerThatWaits_ReachesItAndIsStored()
    {
        await using RunningBroker broker = await RunningBroker.StartAsync();
        var pushed = new TaskCompletionSource<(ReplyMessageHeader Header, string Body)>();
        await ProducerAsync(broker, "c1", (request, header) =>
        {
            pushed.SetResult((header, Encoding.UTF8.GetString(request.Body)));
            request.Reply(ResponseCode.Success);
            return ValueTask.CompletedTask;
        });
        Peer replier = broker.Connect("r");

        RemotingCommand reply = await ReplyAsync(replier, "c1", "pong");

        (ReplyMessageHeader push, string body) = await pushed.Task;
        Assert.Equal("pong", body);
        Assert.Equal((ReplyTopic, 0, "P"), (push.Topic, push.QueueId, push.ProducerGroup));
        Dictionary<string, string> properties = MessagePropertiesCodec.ToDictionary(Encoding.UTF8.GetBytes(push.Properties!));
        Assert.Equal(("c1", "7", "DefaultRegion"), (properties["REPLY_TO_CLIENT"], properties["CORRELATION_ID"], properties["MSG_REGION"]));
        Assert.True(properties.ContainsKey("PUSH_REPLY_TIME"));

        Assert.Equal((ResponseCode.Success, null), (reply.ResponseCode, reply.Remark));
        SendMessageResponseHeader at = SendMessageResponseHeader.Read(reply.Fields);
        Assert.Equal(0, at.QueueOffset);
        ReceivedMessage stored = await replier.ReadAsync(ReplyTopic, 0);
        Assert.Equal("pong", Encoding.UTF8.GetString(stored.Body.Span));
        Assert.False(stored.Properties.ContainsKey("PUSH_REPLY_TIME"));
    }

    [Fact]
    public async Task Reply_ThatNobodyTakes_IsAnErrorInRocketMQsWordsAndStoredAllTheSame()
    {
        await using RunningBroker broker = await RunningBroker.StartAsync();
        Peer refusing = await ProducerAsync(broker, "c1", (request, _) =>
        {
            request.Reply(ResponseCode.SystemError, "no");
            return ValueTask.CompletedTask;
        });
        Peer replier = broker.Connect("r");

        Assert.Equal("push reply message to c1fail.", await RefusedAsync(await ReplyAsync(replier, "c1"), 0));
        Assert.Equal("push reply message fail, channel of <c2> not found.", await RefusedAsync(await ReplyAsync(replier, "c2"), 1));
        Assert.Equal("reply message properties[REPLY_TO_CLIENT] is null", await RefusedAsync(await ReplyAsync(replier, null), 2));
        await refusing.UnregisterAsync(producerGroup: "P");
        Assert.Equal("push reply message fail, channel of <c1> not found.", await RefusedAsync(await ReplyAsync(replier, "c1"), 3));

        static Task<string> RefusedAsync(RemotingCommand reply, long queueOffset)
        {
            Assert.Equal(ResponseCode.SystemError, reply.ResponseCode);
            Assert.Equal(queueOffset, SendMessageResponseHeader.Read(reply.Fields).QueueOffset);
            return Task.FromResult(reply.Remark!);
        }
    }

    [Fact]
    public async Task Reply_WhereRepliesAreNotStored_IsOnlyPushed()
    {
        await using RunningBroker broker = await RunningBroker.StartAsync(("storeReplyMessageEnable", "false"));
        await ProducerAsync(broker, "c1", (request, _) =>
        {
            request.Reply(ResponseCode.Success);
            return ValueTask.CompletedTask;
        });
        Peer replier = broker.Connect("r");

        RemotingCommand taken = await ReplyAsync(replier, "c1");
        RemotingCommand refused = await ReplyAsync(replier, "c2");

        Assert.Equal(ResponseCode.Success, taken.ResponseCode);
        Assert.Equal("0", SendMessageResponseHeader.Read(taken.Fields).MessageId);
        Assert.Equal(ResponseCode.SystemError, refused.ResponseCode);
        Assert.False(refused.Fields.TryFind("msgId"u8, out _));
        RemotingCommand max = await replier.AskAsync(RequestCode.GetMaxOffset, new QueueHeader { Topic = ReplyTopic, QueueId = 0 });
        Assert.Equal(0, max.Fields.GetInt64("offset"u8));
    }

    [Fact]
    public async Task Reply_ToAProducerThatCameBack_GoesToItsNewConnection()
    {
        await using RunningBroker broker = await RunningBroker.StartAsync();
        Peer gone = await ProducerAsync(broker, "c1", (_, _) => throw new InvalidOperationException("it is gone"));
        await ProducerAsync(broker, "c1", (request, _) =>
        {
            request.Reply(ResponseCode.Success);
            return ValueTask.CompletedTask;
        });
        Peer replier = broker.Connect("r");
        Assert.Equal(ResponseCode.Success, (await ReplyAsync(replier, "c1")).ResponseCode);

        // Its old connection ends only now.
        await gone.DisposeAsync();
        await Eventually.TrueAsync(() => gone.WasClosed, "the old connection is to end");
        Assert.Equal(ResponseCode.Success, (await ReplyAsync(replier, "c1")).ResponseCode);
    }

    [Fact]
    public async Task Reply_WhileTooMuchWaitsForItsReaders_IsRefused()
    {
        await using RunningBroker broker = await RunningBroker.StartAsync(("storeReplyMessageEnable", "false"));
        var reading = new TaskCompletionSource();
        await ProducerAsync(broker, "c1", async (request, _) =>
        {
            await reading.Task;
            request.Reply(ResponseCode.Success);
        });
        Peer replier = broker.Connect("r");
        string large = new('x', 4_000_000);
        int fitting = (int)(ReplyHandler.MaxWaitingBytes / large.Length);
        Task<RemotingCommand>[] replies = [.. Enumerable.Range(0, fitting + 1).Select(_ => ReplyAsync(replier, "c1", large))];

        RemotingCommand first = await await Task.WhenAny(replies);
        Assert.Equal(ResponseCode.SystemBusy, first.ResponseCode);

        reading.SetResult();
        RemotingCommand[] all = await Task.WhenAll(replies);
        Assert.Equal(fitting, all.Count(reply => reply.ResponseCode == ResponseCode.Success));
        Assert.Equal(ResponseCode.Success, (await ReplyAsync(replier, "c1", large)).ResponseCode);
    }

    [Fact]
    public async Task Reply_WhileTooManyPropertiesWait_IsRefused()
    {
        await using RunningBroker broker = await RunningBroker.StartAsync(("storeReplyMessageEnable", "false"));
        var reading = new TaskCompletionSource();
        await ProducerAsync(broker, "c1", async (request, _) =>
        {
            await reading.Task;
            request.Reply(ResponseCode.Success);
        });
        Peer replier = broker.Connect("r");
        string properties = Sends.Properties(("MSG_TYPE", "reply"), ("REPLY_TO_CLIENT", "c1"), ("large", new string('x', 30_000)));
        int tooMany = (int)(ReplyHandler.MaxWaitingBytes / (3 * properties.Length)) + 1;
        Task<RemotingCommand>[] replies =
        [
            .. Enumerable.Range(0, tooMany).Select(_ => replier.AskAsync(
                RequestCode.SendReplyMessageV2, Sends.Header(ReplyTopic, properties: properties))),
        ];

        RemotingCommand first = await await Task.WhenAny(replies);
        Assert.Equal(ResponseCode.SystemBusy, first.ResponseCode);

        reading.SetResult();
        RemotingCommand[] all = await Task.WhenAll(replies);
        Assert.Contains(all, reply => reply.ResponseCode == ResponseCode.Success);
        Assert.Equal(ResponseCode.Success, (await ReplyAsync(replier, "c1")).ResponseCode);
    }

    [Fact]
    public async Task Reply_ToATopicThatMayNotBeSentTo_IsRefused()
    {
        await using RunningBroker broker = await RunningBroker.StartAsync(("autoCreateTopicEnable", "false"));
        Peer replier = broker.Connect("r");

        RemotingCommand reply = await replier.AskAsync(RequestCode.SendReplyMessageV2, Sends.Header("none"), "x"u8.ToArray());

        Assert.Equal(ResponseCode.TopicNotExist, reply.ResponseCode);
        Assert.True(reply.Fields.TryFind("MSG_REGION"u8, out _));
    }

    private static async Task<Peer> ProducerAsync(
        RunningBroker broker, string id, Func<RemotingRequest, ReplyMessageHeader, ValueTask> answer)
    {
        Peer peer = broker.Connect(id, table => table.On(RequestCode.PushReplyMessageToClient, answer));
        var heartbeat = new HeartbeatData { ClientId = id, ProducerDataSet = [new ProducerData { GroupName = "P" }] };
        RemotingCommand reply = await peer.AskAsync(RequestCode.Heartbeat, default(NoHeader), BodyCodec.Encode(heartbeat));
        Assert.Equal(ResponseCode.Success, reply.ResponseCode);
        return peer;
    }

    private static Task<RemotingCommand> ReplyAsync(Peer peer, string? client, string body = "pong")
    {
        (string, string)[] to = client is null ? [] : [("REPLY_TO_CLIENT", client)];
        string properties = Sends.Properties([("MSG_TYPE", "reply"), .. to, ("CORRELATION_ID", "7")]);
        return peer.AskAsync(
            RequestCode.SendReplyMessageV2, Sends.Header(ReplyTopic, properties: properties), Encoding.UTF8.GetBytes(body));
    }
}
