using System.Buffers;
using GrayMQ.Broker.Serving;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Headers.Broker;
using GrayMQ.Protocol.Messages;

namespace GrayMQ.Broker.Sending;

/// <summary>SEND_MESSAGE (10), whose fields have names of more than one letter: what clients before RocketMQ 3.2 sent, and scripts still do.</summary>
public sealed class FirstSendFormTests
{
    [Fact]
    public async Task Send_InTheFirstForm_IsStoredAsInTheSecond()
    {
        await using RunningBroker broker = await RunningBroker.StartAsync();
        Peer peer = broker.Connect("p");
        await RunningBroker.SendAsync(peer, "T", 1, "second");

        RemotingCommand reply = await peer.AskAsync(RequestCode.SendMessage, default(FirstForm), "first"u8.ToArray());

        Assert.True(reply.ResponseCode == ResponseCode.Success, reply.Remark);
        SendMessageResponseHeader stored = SendMessageResponseHeader.Read(reply.Fields);
        Assert.Equal((1, 1L), (stored.QueueId, stored.QueueOffset));
        ReceivedMessage message = await WaitForMessageAsync(peer, 1);
        Assert.Equal("first"u8, message.Body.Span);
        Assert.Equal(("Tag", 7, 1234L), (message.Tags, message.Flag, message.BornTimestampMs));
    }

    [Fact]
    public async Task EarliestStoreTime_OfAQueue_IsItsFirstMessages()
    {
        await using RunningBroker broker = await RunningBroker.StartAsync();
        Peer peer = broker.Connect("p");
        await RunningBroker.SendAsync(peer, "T", 1, "first");
        await RunningBroker.SendAsync(peer, "T", 1, "second");
        ReceivedMessage first = await WaitForMessageAsync(peer, 0);

        RemotingCommand reply = await peer.AskAsync(RequestCode.GetEarliestMessageStoreTime, new QueueHeader("T", 1));
        RemotingCommand empty = await peer.AskAsync(RequestCode.GetEarliestMessageStoreTime, new QueueHeader("T", 0));

        Assert.Equal(first.StoreTimestampMs, TimestampResponseHeader.Read(reply.Fields).TimestampMs);
        Assert.Equal(-1, TimestampResponseHeader.Read(empty.Fields).TimestampMs);
    }

    // The broker keeps the pull until the message can be read.
    private static async Task<ReceivedMessage> WaitForMessageAsync(Peer peer, long offset)
    {
        RemotingCommand pulled = await peer.AskAsync(RequestCode.PullMessage, new PullMessageHeader
        {
            ConsumerGroup = "G"u8.ToArray(),
            Topic = "T"u8.ToArray(),
            QueueId = 1,
            QueueOffset = offset,
            MaxMessages = 1,
            SysFlag = PullSysFlag.Subscription | PullSysFlag.Suspend,
            SuspendTimeoutMs = 20_000,
            Subscription = "*"u8.ToArray(),
        });
        Assert.Equal(ResponseCode.Success, pulled.ResponseCode);
        return MessageDecoder.DecodeAll(pulled.Body.ToArray())[0];
    }

    private readonly record struct FirstForm : IHeaderFields
    {
        public void Write(ref HeaderWriter writer)
        {
            writer.Write("producerGroup"u8, "P");
            writer.Write("topic"u8, "T");
            writer.Write("defaultTopic"u8, "TBW102");
            writer.Write("defaultTopicQueueNums"u8, 2);
            writer.Write("queueId"u8, 1);
            writer.Write("sysFlag"u8, 0);
            writer.Write("bornTimestamp"u8, 1234L);
            writer.Write("flag"u8, 7);
            writer.Write("properties"u8, "TAGS\u0001Tag\u0002");
        }
    }
}
