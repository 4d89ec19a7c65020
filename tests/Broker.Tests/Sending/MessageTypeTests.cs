using GrayMQ.Broker.Serving;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Headers.Broker;

namespace GrayMQ.Broker.Sending;

public sealed class MessageTypeTests
{
    private const string Plain = "";

    private static readonly string Delayed = Sends.Properties(("DELAY", "1"));
    private static readonly string Half = Sends.Properties(("TRAN_MSG", "true"), ("PGROUP", "P"));
    private static readonly string Sharded = Sends.Properties(("__SHARDINGKEY", "order-7"));

    [Fact]
    public async Task Send_ToATopicOfAnotherType_IsRefusedInRocketMQsWords()
    {
        await using RunningBroker broker = await RunningBroker.StartAsync(("enableMixedMessageType", "true"));
        Peer producer = broker.Connect("p");
        foreach (string type in (string[])["NORMAL", "FIFO", "DELAY", "TRANSACTION", "MIXED", "UNSPECIFIED"])
        {
            await CreateAsync(producer, type);
        }

        Assert.Equal((ResponseCode.Success, null), await SendAsync(producer, "NORMAL", Plain));
        Assert.Equal(Refused("NORMAL", "FIFO"), await SendAsync(producer, "NORMAL", Sharded));
        Assert.Equal((ResponseCode.Success, null), await SendAsync(producer, "FIFO", Sharded));
        Assert.Equal((ResponseCode.Success, null), await SendAsync(producer, "FIFO", Plain));
        Assert.Equal(Refused("NORMAL", "DELAY"), await SendAsync(producer, "NORMAL", Delayed));
        Assert.Equal(Refused("NORMAL", "TRANSACTION"), await SendAsync(producer, "NORMAL", Half));
        Assert.Equal(Refused("FIFO", "DELAY"), await SendAsync(producer, "FIFO", Delayed));
        Assert.Equal((ResponseCode.Success, null), await SendAsync(producer, "DELAY", Delayed));
        Assert.Equal((ResponseCode.Success, null), await SendAsync(producer, "TRANSACTION", Half));
        Assert.Equal((ResponseCode.Success, null), await SendAsync(producer, "MIXED", Half));
        Assert.Equal(Refused("DELAY", "NORMAL"), await SendAsync(producer, "DELAY", Plain));
        Assert.Equal(Refused("TRANSACTION", "NORMAL"), await SendAsync(producer, "TRANSACTION", Plain));
        Assert.Equal((ResponseCode.Success, null), await SendAsync(producer, "MIXED", Sharded));
        Assert.Equal((ResponseCode.Success, null), await SendAsync(producer, "UNSPECIFIED", Sharded));
        Assert.Equal((ResponseCode.Success, null), await SendAsync(producer, "undeclared", Sharded));
        Assert.Equal(
            (ResponseCode.Success, null), await SendAsync(producer, "DELAY", Sends.Properties(("TRANSFER_FLAG", "1"))));
    }

    [Fact]
    public async Task Send_AfterTheTypeWasChanged_GoesByTheNewOne()
    {
        await using RunningBroker broker = await RunningBroker.StartAsync();
        Peer producer = broker.Connect("p");
        await CreateAsync(producer, "NORMAL", "T");
        Assert.Equal(Refused("NORMAL", "FIFO"), await SendAsync(producer, "T", Sharded));

        await CreateAsync(producer, "FIFO", "T");
        Assert.Equal((ResponseCode.Success, null), await SendAsync(producer, "T", Sharded));

        await CreateAsync(producer, "NORMAL", "T");
        await broker.RestartAsync();
        Assert.Equal(Refused("NORMAL", "FIFO"), await SendAsync(broker.Connect("p"), "T", Sharded));
    }

    [Fact]
    public async Task Send_WhereTypesAreNotChecked_StoresAnything()
    {
        await using RunningBroker broker = await RunningBroker.StartAsync(("enableTopicMessageTypeCheck", "false"));
        Peer producer = broker.Connect("p");
        await CreateAsync(producer, "DELAY");

        Assert.Equal((ResponseCode.Success, null), await SendAsync(producer, "DELAY", Plain));
    }

    private static async Task CreateAsync(Peer peer, string type, string? topic = null)
    {
        RemotingCommand reply = await peer.AskAsync(RequestCode.UpdateAndCreateTopic, new CreateTopicHeader
        {
            Topic = topic ?? type,
            ReadQueueNums = 1,
            WriteQueueNums = 1,
            Permission = 6,
            Attributes = $"+message.type={type}",
        });
        Assert.True(reply.ResponseCode == ResponseCode.Success, reply.Remark);
    }

    private static async Task<(ResponseCode Code, string? Remark)> SendAsync(Peer peer, string topic, string properties)
    {
        RemotingCommand reply = await peer.SendAsync(Sends.Header(topic, properties: properties));
        return (reply.ResponseCode, reply.Remark);
    }

    private static (ResponseCode Code, string? Remark) Refused(string expected, string actual) =>
        (ResponseCode.MessageIllegal, $"TopicMessageType validate failed, the expected type is {expected}, but actual type is {actual}");
}
