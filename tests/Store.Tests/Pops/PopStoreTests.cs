using GrayMQ.Store.KeyValue;
using GrayMQ.Store.Pops;
using GrayMQ.Store.Tests.KeyValue;

namespace GrayMQ.Store.Tests.Pops;

public sealed class PopStoreTests : IDisposable
{
    private readonly StoreFolder _folder = new();
    private readonly KeyValueStore _values;
    private readonly PopStore _pops;
    private readonly PopQueue _queue;

    public PopStoreTests()
    {
        _values = PopStores.Open(_folder.Path);
        _pops = new PopStore(_values);
        _queue = _pops.Topics.Get("G"u8, "T"u8).GetQueue(0);
    }

    public void Dispose()
    {
        _pops.Dispose();
        _values.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void Take_OfThirtyTwo_HoldsEachUntilItIsAcked()
    {
        var id = new CheckPointId(100, 1000);
        Assert.True(Take(id, [.. Enumerable.Range(100, 32).Select(offset => (long)offset)], 132, 60_000));

        Assert.Equal(132, _queue.NextOffset);
        for (int offset = 100; offset < 132; offset++)
        {
            Assert.Equal(132 - offset, _queue.InFlight);
            Assert.True(_pops.Ack(_queue, id, offset));
            Assert.False(_pops.Ack(_queue, id, offset));
        }

        Assert.Equal((0, 0, 0L), (_queue.InFlight, _pops.Revivals.DueCount, _pops.InFlight));
        Assert.Equal(long.MaxValue, _pops.Revivals.EarliestDueMs);
    }

    [Fact]
    public void Ack_OfNothingInHand_ChangesNothing()
    {
        var id = new CheckPointId(10, 1000);
        Take(id, [12, 15], 16, 60_000);

        Assert.False(_pops.Ack(_queue, id with { StartOffset = 12 }, 12));
        Assert.False(_pops.Ack(_queue, id with { PopTimeMs = 1001 }, 12));
        Assert.False(_pops.Ack(_queue, id, 10));
        Assert.False(_pops.Ack(_queue, id, 13));
        Assert.False(_pops.Ack(_queue, id, 16));
        Assert.False(_pops.Ack(_queue, id, long.MaxValue));
        Assert.False(_pops.Ack(_queue, id, long.MinValue));
        Assert.Equal(0, _pops.Ack(_queue, id, [0b1101_1011]));
        Assert.Equal(0, _pops.Ack(_queue, id, []));
        Assert.Equal(2, _queue.InFlight);
    }

    [Fact]
    public void Ack_OfBits_CountsWhatWasInHandAndKeepsTheRest()
    {
        var id = new CheckPointId(10, 1000);
        Take(id, [12, 15, 30], 31, 60_000);

        Assert.Equal(1, _pops.Ack(_queue, id, [0b0000_0100]));
        Assert.Equal(1, _pops.Ack(_queue, id, [0b0000_0100, 0, 0b0001_0000]));

        Assert.Equal([(id, 15L)], PopStore.Unacked(_queue));
    }

    [Fact]
    public void Take_WithTheIdOfABatchInHand_IsRefused()
    {
        var id = new CheckPointId(10, 1000);
        Take(id, [10], 11, 60_000);

        Assert.False(Take(id, [10], 11, 60_000));
        Assert.Equal(1, _queue.InFlight);
    }

    [Fact]
    public void Change_OfOneMessage_GivesItABatchOfItsOwn()
    {
        var id = new CheckPointId(10, 1000);
        Take(id, [10, 11, 12], 13, 60_000);

        Assert.True(_pops.TryChange(_queue, id, 11, nowMs: 1000, invisibleMs: 5, out CheckPointId changed));
        Assert.True(_pops.TryChange(_queue, id, 10, nowMs: 1000, invisibleMs: 7, out CheckPointId first));
        Assert.False(_pops.TryChange(_queue, id, 11, nowMs: 1000, invisibleMs: 5, out _));

        Assert.NotEqual(id, first);
        Assert.Equal([(id, 12L), (changed, 11L), (first, 10L)], PopStore.Unacked(_queue).OrderByDescending(m => m.QueueOffset));
        Assert.Equal(1005, _pops.Revivals.EarliestDueMs);
        Assert.True(_pops.Ack(_queue, changed, 11));
        Assert.Equal(3 - 1, _queue.InFlight);
    }

    [Fact]
    public void Prolong_OfOneMessage_LetsItsBatchWaitLongerUnderTheSameName()
    {
        var id = new CheckPointId(10, 1000);
        Take(id, [10, 11, 12], 13, 60_000);
        Assert.True(_pops.Ack(_queue, id, 10));

        Assert.True(_pops.TryProlong(_queue, id, 11, dueMs: 200_000));
        Assert.True(_pops.TryProlong(_queue, id, 12, dueMs: 100_000));
        Assert.False(_pops.TryProlong(_queue, id, 10, dueMs: 300_000));
        Assert.False(_pops.TryProlong(_queue, id with { PopTimeMs = 1001 }, 11, dueMs: 300_000));

        Assert.Equal(200_000, _pops.Revivals.EarliestDueMs);
        Assert.True(_pops.Ack(_queue, id, 11));
        using PopStores.Reopened again = PopStores.CopyOf(_folder.Path);
        PopQueue queue = again.Pops.Topics.Get("G"u8, "T"u8).GetQueue(0);
        Assert.Equal([(id, 12L)], PopStore.Unacked(queue));
        Assert.Equal(200_000, again.Pops.Revivals.EarliestDueMs);
    }

    [Fact]
    public void Due_InAnyOrder_ComesByTimeAndEndsWithTheAck()
    {
        var random = new Random(1);
        long[] times = [.. Enumerable.Range(0, 500).Select(_ => random.NextInt64(1, 10_000))];
        for (int i = 0; i < times.Length; i++)
        {
            Take(new CheckPointId(i, 1), [i], i + 1, times[i] - 1);
        }

        for (int i = 0; i < times.Length; i += 3)
        {
            Assert.True(_pops.Ack(_queue, new CheckPointId(i, 1), i));
        }

        long[] left = [.. times.Where((_, i) => i % 3 != 0).Order()];
        Assert.Equal(left[0], _pops.Revivals.EarliestDueMs);
        var due = new List<PopDue>();
        _pops.Revivals.CopyDue(5000, int.MaxValue, due);
        Assert.Equal(left.Where(time => time <= 5000), due.Select(item => item.DueMs).Order());
    }

    [Fact]
    public void Revival_Begun_TakesNoAcksAndEndsWithWhatIsLeft()
    {
        var id = new CheckPointId(10, 1000);
        Take(id, [10, 11, 12], 13, 100);
        var due = new List<PopDue>();
        _pops.Revivals.CopyDue(1100, 8, due);
        var checkPoint = (PopCheckPoint)Assert.Single(due);

        Assert.False(PopRevivals.TryBegin(checkPoint, 1099));
        Assert.True(PopRevivals.TryBegin(checkPoint, 1100));
        Assert.False(PopRevivals.TryBegin(checkPoint, 1100));
        Assert.False(_pops.Ack(_queue, id, 10));
        _pops.Revivals.End([new PopRevival(checkPoint, Done: 0b011, NextDueMs: 5000, PutOff: true, Failures: 0)]);

        Assert.Equal([(id, 12L)], PopStore.Unacked(_queue));
        Assert.True(checkPoint.IsPutOff);
        Assert.Equal((5000, 1), (_pops.Revivals.EarliestDueMs, _queue.InFlight));
        Assert.True(_pops.Ack(_queue, id, 12));
    }

    [Fact]
    public void Ordered_Batch_LocksUntilAllIsAckedOrVisible()
    {
        OrderedBatch batch;
        lock (_queue.Gate)
        {
            batch = _pops.Ordered.Take(_queue, "a"u8, 1000, [5, 6, 7], 100);
        }

        Assert.True(batch.Blocks(1099));
        Assert.Equal(5, _queue.NextOffset);
        Assert.Null(AckOrdered(999, 5));
        Assert.Null(AckOrdered(1000, 8));
        Assert.Equal(5, AckOrdered(1000, 6));
        Assert.Null(AckOrdered(1000, 6));
        Assert.Equal(7, AckOrdered(1000, 5));
        Assert.True(_pops.Ordered.TryChange(_queue, 1000, 7, 5000));
        Assert.True(batch.Blocks(4999));
        Assert.False(batch.Blocks(5000));
        Assert.Equal(5000, _pops.Revivals.EarliestDueMs);
        Assert.Equal(8, AckOrdered(1000, 7));
        Assert.Null(_queue.Ordered);
        Assert.Equal(0, _queue.InFlight);
    }

    [Fact]
    public void Ordered_BatchAgain_CountsDeliveriesAndRemembersAcksOutOfTurn()
    {
        lock (_queue.Gate)
        {
            _pops.Ordered.Take(_queue, "a"u8, 1000, [5, 6, 7], 100);
        }

        AckOrdered(1000, 6);
        OrderedBatch again;
        lock (_queue.Gate)
        {
            again = _pops.Ordered.Take(_queue, "b"u8, 2000, [5], 100);
        }

        Assert.Equal([1], again.Deliveries);
        Assert.True(again.WasAcked(6));
        Assert.False(again.WasAcked(7));
        Assert.Equal(7, AckOrdered(2000, 5));
        lock (_queue.Gate)
        {
            OrderedBatch repeated = _pops.Ordered.Take(_queue, "c"u8, 3000, [7, 8], 100);
            Assert.Equal([0, 0], repeated.Deliveries);
            repeated = _pops.Ordered.Take(_queue, "c"u8, 3001, [7, 8], 100);
            Assert.Equal([0, 0], repeated.Deliveries);
            repeated = _pops.Ordered.Take(_queue, "d"u8, 3002, [7, 8], 100);
            Assert.Equal([1, 1], repeated.Deliveries);
        }
    }

    [Fact]
    public void RemoveTopic_WithMessagesInHand_ForgetsThemAlsoOnDisk()
    {
        Take(new CheckPointId(1, 1), [1, 2], 3, 100);
        PopQueue other = _pops.Topics.Get("G"u8, "T2"u8).GetQueue(0);
        lock (other.Gate)
        {
            _pops.TryTake(other, new CheckPointId(1, 1), [1], 2, 100);
        }

        _pops.RemoveTopic("T");

        Assert.True(_queue.IsDropped);
        Assert.Equal((1L, 1), (_pops.InFlight, _pops.Revivals.DueCount));
        Assert.Null(_pops.Topics.Find("G", "T"));
        using PopStores.Reopened again = PopStores.CopyOf(_folder.Path);
        Assert.Equal(["T2"], again.Pops.Topics.All.Select(topic => topic.Topic));
        Assert.Equal(1, again.Pops.InFlight);
    }

    [Fact]
    public void RevivalOffset_UntilItsEnd_IsKept()
    {
        _pops.Revivals.Announce(777);
        _pops.Revivals.Announce(888);
        using (PopStores.Reopened again = PopStores.CopyOf(_folder.Path))
        {
            Assert.Equal(777, again.Pops.Revivals.LogOffset);
        }

        _pops.Revivals.End([]);
        using PopStores.Reopened after = PopStores.CopyOf(_folder.Path);
        Assert.Null(after.Pops.Revivals.LogOffset);
    }

    [Fact]
    public async Task Acks_OfManyThreads_AreWrittenOnceEachAndNoneIsLeft()
    {
        const int Batches = 200;
        for (int i = 0; i < Batches; i++)
        {
            long start = i * 32;
            Take(new CheckPointId(start, 1000), [.. Enumerable.Range(0, 32).Select(offset => start + offset)], start + 32, 60_000);
        }

        int written = 0;
        int taken = 0;
        await Task.WhenAll(Enumerable.Range(0, 8).Select(thread => Task.Run(
            () =>
            {
                // Each message is acked by two threads.
                for (int i = thread / 2; i < Batches * 32; i += 4)
                {
                    var ack = new CountingAck(() => Interlocked.Increment(ref written));
                    if (_pops.TryAck(_queue, new CheckPointId(i / 32 * 32, 1000), i, ack))
                    {
                        Interlocked.Increment(ref taken);
                    }

                    // One thread of the two leaves it to whoever writes next.
                    if (thread % 2 == 0 || i + 4 >= Batches * 32)
                    {
                        _pops.WriteAcks();
                    }
                }
            },
            TestContext.Current.CancellationToken)));

        Assert.Equal((Batches * 32, Batches * 32), (taken, written));
        Assert.Equal((0L, 0), (_pops.InFlight, _pops.Revivals.DueCount));
        using PopStores.Reopened again = PopStores.CopyOf(_folder.Path);
        Assert.Equal(0, again.Pops.InFlight);
    }

    private sealed class CountingAck(Action completed) : PopAck
    {
        public override void Completed(KeyValueStoreException? failure)
        {
            Assert.Null(failure);
            completed();
        }
    }

    private long? AckOrdered(long popTimeMs, long queueOffset) =>
        _pops.Ordered.Ack(_queue, popTimeMs, queueOffset, [1]) == 1 ? _queue.NextOffset : null;

    private bool Take(CheckPointId id, long[] offsets, long next, long invisibleMs)
    {
        lock (_queue.Gate)
        {
            return _pops.TryTake(_queue, id, offsets, next, invisibleMs);
        }
    }
}
