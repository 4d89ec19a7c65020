using System.Text;
using GrayMQ.Client.Consumers.Popping;
using GrayMQ.Protocol.Headers.Broker;
using GrayMQ.Protocol.Messages;

namespace GrayMQ.Client.Tests.Consumers.Popping;

public class PopReceiptsTests
{
    [Fact]
    public void Next_MessagesOfSeveralQueues_TakeTheirQueuesOffsetsInOrder()
    {
        PopReceipts receipts = New("0 0 10;0 3 20;1 0 2", "0 0 10,12;0 3 21;1 0 2");

        string[] handles = [.. new[] { Stored(0, 10), Stored(3, 21), Stored(0, 12), Stored(0, 2, "%RETRY%g_orders") }
            .Select(stored => receipts.Next(stored, "a").Handle.ToString())];

        Assert.Equal(
            [
                "orders 10 1000 60000 4 0 a 0 10",
                "orders 20 1000 60000 4 0 a 3 21",
                "orders 10 1000 60000 4 0 a 0 12",
                "orders 2 1000 60000 4 1 a 0 2",
            ],
            handles);
    }

    [Fact]
    public void Next_ReplyWithoutOffsets_MessagesNameTheirOwn()
    {
        PopReceipts receipts = New("", "");

        Assert.Equal("orders 7 1000 60000 4 0 a 2 7", receipts.Next(Stored(2, 7), "a").Handle.ToString());
    }

    [Fact]
    public void Next_MessageWithAHandleOfTheBroker_KeepsIt()
    {
        ReceivedMessage stored = Stored(0, 9) with
        {
            Properties = new Dictionary<string, string> { [MessageProperty.PopCheckPoint] = "3 900 60000 5 1 a 0 4" },
        };

        Assert.Equal("orders 3 900 60000 5 1 a 0 4", New("1 0 3", "1 0 4").Next(stored, "a").Handle.ToString());
    }

    [Fact]
    public void Next_OrderCounts_AreTheTimesThatMessagesCameBefore()
    {
        PopReceipts receipts = New("0 0 10;0 1 5", "0 0 10,11;0 1 5", "0 0 0;0 qo0%11 3;0 1 2");

        Assert.Equal(0, receipts.Next(Stored(0, 10), "a").Message.ReconsumeTimes);
        Assert.Equal(3, receipts.Next(Stored(0, 11), "a").Message.ReconsumeTimes);
        Assert.Equal(2, receipts.Next(Stored(1, 5), "a").Message.ReconsumeTimes);
    }

    [Fact]
    public void Next_RetriedMessage_IsHandedOutUnderItsTopic()
    {
        ReceivedMessage message = New("2 0 2", "2 0 2").Next(Stored(0, 2, "%RETRY%g+orders"), "a").Message;

        Assert.Equal("orders", message.Topic);
        Assert.Equal("a", message.BrokerName);
    }

    [Theory]
    [InlineData("0 1 10", "0 1 10")]
    [InlineData("0 0 10", "0 0 10")]
    public void Next_MoreMessagesThanOffsets_IsRefused(string starts, string offsets)
    {
        PopReceipts receipts = New(starts, offsets);

        Assert.Throws<FormatException>(() =>
        {
            receipts.Next(Stored(0, 10), "a");
            receipts.Next(Stored(0, 11), "a");
        });
    }

    [Theory]
    [InlineData("0 0", "")]
    [InlineData("0 0 x", "")]
    [InlineData("00 0 1", "")]
    [InlineData("0 0 1", "0 0 1,,2")]
    [InlineData(";", "")]
    public void Constructor_MalformedReply_IsRefused(string starts, string offsets) =>
        Assert.Throws<FormatException>(() => New(starts, offsets));

    private static PopReceipts New(string starts, string offsets, string orderCounts = "") => new(
        new PopMessageResponseHeader
        {
            PopTimeMs = 1000,
            InvisibleTimeMs = 60_000,
            ReviveQueueId = 4,
            StartOffsetInfo = Encoding.UTF8.GetBytes(starts),
            MessageOffsetInfo = Encoding.UTF8.GetBytes(offsets),
            OrderCountInfo = Encoding.UTF8.GetBytes(orderCounts),
        },
        "orders",
        "a");

    private static ReceivedMessage Stored(int queueId, long offset, string topic = "orders") => new()
    {
        Topic = topic,
        QueueId = queueId,
        QueueOffset = offset,
        Body = "x"u8.ToArray(),
        Properties = new Dictionary<string, string>(),
        OffsetMessageId = "",
    };
}
