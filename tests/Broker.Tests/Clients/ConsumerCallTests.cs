using System.Buffers;
using System.Text;
using GrayMQ.Broker.Serving;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Headers.Broker;
using GrayMQ.Protocol.Messages;

namespace GrayMQ.Broker.Clients;

public class ConsumerCallTests
{
    [Fact]
    public async Task RunningInfo_OfAnOnlineConsumer_IsItsOwnAnswer()
    {
        await using RunningBroker broker = await RunningBroker.StartAsync();
        Peer consumer = broker.Connect("c1", table => table.On<GetConsumerRunningInfoHeader>(
            RequestCode.GetConsumerRunningInfo,
            (request, header) =>
            {
                request.Reply(Encoding.UTF8.GetBytes($"{header.ClientId} of {header.ConsumerGroup}, stack {header.StackEnable}"));
                return ValueTask.CompletedTask;
            }));
        await consumer.HeartbeatAsync("G", [ClientsFixture.To("T")]);
        Peer admin = broker.Connect("a");

        RemotingCommand reply = await admin.AskAsync(
            RequestCode.GetConsumerRunningInfo,
            new GetConsumerRunningInfoHeader { ConsumerGroup = "G", ClientId = "c1", StackEnable = true });
        RemotingCommand none = await admin.AskAsync(
            RequestCode.GetConsumerRunningInfo, new GetConsumerRunningInfoHeader { ConsumerGroup = "G", ClientId = "c2" });

        Assert.Equal(ResponseCode.Success, reply.ResponseCode);
        Assert.Equal("c1 of G, stack True", Encoding.UTF8.GetString(reply.Body));
        Assert.Equal((ResponseCode.SystemError, "The Consumer <G> <c2> not online"), (none.ResponseCode, none.Remark));
    }

    [Fact]
    public async Task RunningInfo_ConsumerThatRefuses_IsPassedOn()
    {
        await using RunningBroker broker = await RunningBroker.StartAsync();
        Peer consumer = broker.Connect("c1");
        await consumer.HeartbeatAsync("G", [ClientsFixture.To("T")]);

        RemotingCommand reply = await broker.Connect("a").AskAsync(
            RequestCode.GetConsumerRunningInfo, new GetConsumerRunningInfoHeader { ConsumerGroup = "G", ClientId = "c1" });

        Assert.Equal(ResponseCode.RequestCodeNotSupported, reply.ResponseCode);
    }

    [Fact]
    public async Task ConsumeDirectly_AStoredMessage_ReachesTheConsumer()
    {
        await using RunningBroker broker = await RunningBroker.StartAsync();
        var handed = new TaskCompletionSource<(ConsumeMessageDirectlyHeader Header, byte[] Message)>();
        Peer consumer = broker.Connect("c1", table => table.On<ConsumeMessageDirectlyHeader>(
            RequestCode.ConsumeMessageDirectly,
            (request, header) =>
            {
                handed.SetResult((header, request.Body.ToArray()));
                request.Reply(BodyCodec.Encode(new ConsumeMessageDirectlyResult { ConsumeResult = ConsumeOutcome.Success }));
                return ValueTask.CompletedTask;
            }));
        await consumer.HeartbeatAsync("G", [ClientsFixture.To("T")]);
        await RunningBroker.SendAsync(consumer, "T", 0, "the body");
        string id = MessageId.Format(MessageHost.FromV4(0x7F000001, 10911), 0);

        ConsumeMessageDirectlyResult result = await broker.Connect("a").AskAsync<ConsumeMessageDirectlyHeader, ConsumeMessageDirectlyResult>(
            RequestCode.ConsumeMessageDirectly,
            new ConsumeMessageDirectlyHeader { ConsumerGroup = "G", ClientId = "c1", MessageId = id, Topic = "T" });

        Assert.Equal(ConsumeOutcome.Success, result.ConsumeResult);
        (ConsumeMessageDirectlyHeader header, byte[] message) = await handed.Task;
        Assert.Equal((RunningBroker.Name, 0, 0), (header.BrokerName, header.TopicSysFlag, header.GroupSysFlag));
        Assert.True(StoredMessage.TryRead(message, out StoredMessage stored, out string? error), error);
        Assert.Equal("the body", Encoding.UTF8.GetString(stored.Body));
    }

    [Fact]
    public async Task Status_OfAllConsumers_IsGatheredByClient()
    {
        await using RunningBroker broker = await RunningBroker.StartAsync();
        for (int i = 1; i <= 2; i++)
        {
            long offset = i;
            Peer consumer = broker.Connect($"c{i}", table => table.On<GetConsumerStatusHeader>(
                RequestCode.GetConsumerStatusFromClient,
                (request, header) =>
                {
                    request.Reply(BodyCodec.Encode(new GetConsumerStatusBody
                    {
                        MessageQueueTable = { [new MessageQueue(header.Topic, "b", 0)] = offset },
                    }));
                    return ValueTask.CompletedTask;
                }));
            await consumer.HeartbeatAsync("G", [ClientsFixture.To("T")]);
        }

        Peer silent = broker.Connect("c3");
        await silent.HeartbeatAsync("G", [ClientsFixture.To("T")]);

        GetConsumerStatusBody all = await AskAsync(null);
        GetConsumerStatusBody one = await AskAsync("c2");

        Assert.Equal(["c1", "c2"], all.ConsumerTable.Keys.Order());
        Assert.Equal(2, all.ConsumerTable["c2"][new MessageQueue("T", "b", 0)]);
        Assert.Equal(["c2"], one.ConsumerTable.Keys);

        Task<GetConsumerStatusBody> AskAsync(string? client) =>
            broker.Connect("a").AskAsync<GetConsumerStatusHeader, GetConsumerStatusBody>(
                RequestCode.InvokeBrokerToGetConsumerStatus,
                new GetConsumerStatusHeader { Group = "G", Topic = "T", ClientAddress = client });
    }
}
