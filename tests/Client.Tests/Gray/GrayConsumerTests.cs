using GrayMQ.Client.Consumers;
using GrayMQ.Client.Consumers.Dispatch;
using GrayMQ.Client.Consumers.Rebalance;
using GrayMQ.Client.Gray;
using GrayMQ.Gray;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Messages;
using Microsoft.Extensions.Logging.Abstractions;

namespace GrayMQ.Client.Tests.Gray;

public sealed class GrayConsumerTests
{
    [Theory]
    [InlineData(true, "true", true)]
    [InlineData(true, null, false)]
    [InlineData(true, "TRUE", false)]
    [InlineData(false, "true", false)]
    public async Task Handler_OfAGrayMessage_RunsInAGrayCallChain(bool graySwitch, string? mark, bool expected)
    {
        bool? seen = null;
        var invoker = new HandlerInvoker(
            DelegateHandler.OneByOne(async (_, _) =>
            {
                await Task.Yield();
                seen = GrayContext.IsGray;
                return ConsumeResult.Success;
            }),
            new ConsumeStatistics(TimeProvider.System),
            "G",
            TimeProvider.System,
            NullLogger.Instance,
            new GrayRole(new PushConsumerOptions { GraySwitch = graySwitch }));

        ConsumeResult result = await invoker.InvokeAsync(new MessageQueue("T", "a", 0), [Received(mark)], default);

        Assert.True(result.IsSuccess);
        Assert.Equal(expected, seen);
        Assert.False(GrayContext.IsGray);
    }

    /// <summary>Whatever the numbers: each queue has one member, and no member of a side has more than one gray queue too many.</summary>
    [Fact]
    public void Allocation_OfAnySize_GivesEveryQueueToOneMember_AndBothKindsEvenly()
    {
        for (int queues = 3; queues <= 16; queues++)
        {
            for (int gray = 1; gray < queues; gray++)
            {
                for (int members = 1; members <= 5; members++)
                {
                    CheckAllocation(new GrayQueues(queues, gray), members);
                }
            }
        }
    }

    [Fact]
    public void Allocation_OfATopicThatIsNotGray_IsAnAverageOne()
    {
        MessageQueue[] queues = [.. Enumerable.Range(0, 5).Select(id => new MessageQueue("T", "a", id))];

        Assert.Equal(queues[..3], new AllocateMessageQueueGray().Allocate("G", "x", queues, ["x", "y"]));
        Assert.Equal(queues[3..], new AllocateMessageQueueGray().Allocate("G", "y", queues, ["x", "y"]));
        Assert.Empty(new AllocateMessageQueueGray().Allocate("G", "z", queues, ["x", "y"]));
    }

    private static void CheckAllocation(GrayQueues live, int members)
    {
        MessageQueue[] queues = [.. ((string[])["a", "b"]).SelectMany(
            broker => Enumerable.Range(0, live.Count).Select(id => new MessageQueue("T", broker, id)))];
        string[] ids = [.. Enumerable.Range(0, members).Select(i => $"c{i}")];
        IReadOnlyList<MessageQueue>[] shares = [.. ids.Select(id => AllocateMessageQueueGray.Allocate(id, queues, ids, live))];

        Assert.Equal(queues, shares.SelectMany(share => share).Order());
        int[] grayShares = [.. shares.Select(share => share.Count(queue => live.SideOf(queue.QueueId) == Side.Gray))];
        Assert.InRange(grayShares.Max() - grayShares.Min(), 0, 1);
    }

    private static ReceivedMessage Received(string? mark) => new()
    {
        Topic = "T",
        Body = default,
        OffsetMessageId = "0",
        Properties = mark is null ? new Dictionary<string, string>() : new Dictionary<string, string> { ["grayFlag"] = mark },
    };
}
