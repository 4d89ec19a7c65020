using GrayMQ.Client.Consumers.ProcessQueues;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Messages;

namespace GrayMQ.Client.Tests.Consumers;

public class ProcessQueueTests
{
    private readonly List<long> _reported = [];
    private readonly ProcessQueue _queue;

    public ProcessQueueTests() => _queue = new ProcessQueue(
        new MessageQueue("t", "b", 0), 10, (_, offset) => _reported.Add(offset), TimeProvider.System);

    [Fact]
    public void CommittableOffset_NothingCame_IsWhereToStart() => Assert.Equal(10, _queue.CommittableOffset);

    [Fact]
    public void Complete_OutOfOrder_CommitsUpToTheFirstUnhandled()
    {
        ReceivedMessage[] messages = Messages(10, 11, 12, 13);
        _queue.Add(messages, 14);

        _queue.Complete([messages[1]]);
        Assert.Equal(10, _queue.CommittableOffset);
        _queue.Complete([messages[0]]);
        Assert.Equal(12, _queue.CommittableOffset);
        _queue.Complete([messages[3]]);
        Assert.Equal(12, _queue.CommittableOffset);
        _queue.Complete([messages[2]]);
        Assert.Equal(14, _queue.CommittableOffset);
        Assert.Equal([10, 10, 12, 12, 14], _reported);
    }

    [Fact]
    public void Complete_MessagesWithGaps_CommitsWhatWasFilteredOut()
    {
        ReceivedMessage[] messages = Messages(12, 20);
        _queue.Add(messages, 30);

        Assert.Equal(12, _queue.CommittableOffset);
        _queue.Complete([messages[0]]);
        Assert.Equal(20, _queue.CommittableOffset);
        _queue.Complete([messages[1]]);
        Assert.Equal(30, _queue.CommittableOffset);
    }

    [Fact]
    public void Advance_NothingMatched_CommitsOnlyWhenNothingIsUnhandled()
    {
        _queue.Advance(50);
        Assert.Equal(50, _queue.CommittableOffset);
        ReceivedMessage[] messages = Messages(50);
        _queue.Add(messages, 51);
        _queue.Advance(80);
        Assert.Equal(50, _queue.CommittableOffset);
        _queue.Complete(messages);
        Assert.Equal(80, _queue.CommittableOffset);
    }

    [Fact]
    public void Add_MessagesThatCameBefore_PassesOverThem()
    {
        _queue.Add(Messages(10, 11), 12);

        IReadOnlyList<ReceivedMessage> fresh = _queue.Add(Messages(11, 12, 13), 14);

        Assert.Equal([12, 13], fresh.Select(message => message.QueueOffset));
        Assert.Equal(4, _queue.Count);
    }

    [Fact]
    public void Add_BrokerGoesBack_DoesNotUncommit()
    {
        ReceivedMessage[] messages = Messages(10, 11);
        _queue.Add(messages, 12);
        _queue.Complete(messages);

        _queue.Advance(5);

        Assert.Equal(12, _queue.CommittableOffset);
    }

    [Fact]
    public void Complete_AfterDrop_ReportsNothing()
    {
        ReceivedMessage[] messages = Messages(10);
        _queue.Add(messages, 11);
        _reported.Clear();

        _queue.Drop();
        _queue.Complete(messages);

        Assert.Empty(_reported);
        Assert.True(_queue.IsClosed);
    }

    [Fact]
    public void Complete_AfterClose_StillCounts()
    {
        ReceivedMessage[] messages = Messages(10);
        _queue.Add(messages, 11);
        _reported.Clear();

        _queue.Close();
        _queue.Complete(messages);

        Assert.Equal([11], _reported);
    }

    [Fact]
    public void HasRoom_CountsMessagesBytesAndSpan()
    {
        Assert.True(_queue.HasRoom(0, 0, 0));
        ReceivedMessage[] messages = Messages(10, 11, 2011);
        _queue.Add(messages, 2012);

        Assert.True(_queue.HasRoom(3, 12, 2001));
        Assert.False(_queue.HasRoom(2, 12, 2001));
        Assert.False(_queue.HasRoom(3, 11, 2001));
        Assert.False(_queue.HasRoom(3, 12, 2000));
        Assert.True(_queue.HasRoom(3, 12, null));

        _queue.Complete([messages[0]]);
        Assert.True(_queue.HasRoom(2, 8, 2000));
    }

    [Fact]
    public void Peek_GivesTheFirstUnhandled_AndKeepsThem()
    {
        ReceivedMessage[] messages = Messages(10, 11, 12);
        _queue.Add(messages, 13);
        _queue.Complete([messages[1]]);

        Assert.Equal([10, 12], _queue.Peek(5).Select(message => message.QueueOffset));
        Assert.Equal([10], _queue.Peek(1).Select(message => message.QueueOffset));
        Assert.Equal(2, _queue.Count);
    }

    // The rule, spelled out: of all offsets that came, the smallest that is not completed; else where to pull next.
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void CommittableOffset_AnyOrder_NeverPassesAnUnhandledMessage(int seed)
    {
        var random = new Random(seed);
        var unhandled = new SortedDictionary<long, ReceivedMessage>();
        long next = 10;
        for (int step = 0; step < 2000; step++)
        {
            if (random.Next(3) == 0)
            {
                var offsets = new List<long>();
                for (int i = random.Next(8); i > 0; i--)
                {
                    next += random.Next(1, 3);
                    offsets.Add(next++);
                }

                ReceivedMessage[] messages = Messages([.. offsets]);
                next += random.Next(2);
                _queue.Add(messages, next);
                foreach (ReceivedMessage message in messages)
                {
                    unhandled.Add(message.QueueOffset, message);
                }
            }
            else if (unhandled.Count > 0)
            {
                ReceivedMessage message = unhandled.Values.ElementAt(random.Next(unhandled.Count));
                unhandled.Remove(message.QueueOffset);
                _queue.Complete([message]);
            }

            Assert.Equal(unhandled.Count == 0 ? next : unhandled.First().Key, _queue.CommittableOffset);
            Assert.Equal(unhandled.Count, _queue.Count);
            Assert.Equal(unhandled.Count * 4, _queue.Bytes);
        }
    }

    [Fact]
    public async Task WaitForRoomAsync_SomethingIsCompleted_Returns()
    {
        ReceivedMessage[] messages = Messages(10);
        _queue.Add(messages, 11);

        Task waiting = _queue.WaitForRoomAsync(Eventually.Deadline, default);
        Assert.False(waiting.IsCompleted);
        _queue.Complete(messages);

        await waiting;
        Assert.True(_queue.HasRoom(0, 0, 0));
    }

    private static ReceivedMessage[] Messages(params long[] offsets) =>
    [
        .. offsets.Select(offset => new ReceivedMessage
        {
            Topic = "t",
            QueueOffset = offset,
            Body = new byte[4],
            Properties = new Dictionary<string, string>(),
            OffsetMessageId = "",
        }),
    ];
}
