using GrayMQ.Store.KeyValue;
using GrayMQ.Store.Pops;
using GrayMQ.Store.Tests.KeyValue;

namespace GrayMQ.Store.Tests.Pops;

/// <summary>Pops, acks, changes and revivals from a seed, held against a simple model at points at which the process could be killed.</summary>
public sealed class PopStoreModelTests
{
    private const int Queues = 3;
    private const int Steps = 3000;
    private const int StepsBetweenKills = 100;

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Killed_AtAnyPoint_KnowsExactlyWhatIsInHand(int seed)
    {
        using var folder = new StoreFolder();
        using KeyValueStore values = PopStores.Open(folder.Path);
        using var pops = new PopStore(values);
        var model = new Model(new Random(seed), pops);
        for (int step = 1; step <= Steps; step++)
        {
            model.Step(step);
            if (step % StepsBetweenKills == 0)
            {
                model.AssertSame(pops, $"seed {seed}, step {step}");
                using PopStores.Reopened again = PopStores.CopyOf(folder.Path);
                model.AssertSame(again.Pops, $"seed {seed}, step {step}, killed");
            }
        }
    }

    private sealed class Acked : PopAck
    {
        public bool IsWritten { get; private set; }

        public override void Completed(KeyValueStoreException? failure) => IsWritten = failure is null;
    }

    private sealed class Model(Random random, PopStore pops)
    {
        private readonly long[] _next = new long[Queues];
        private readonly Dictionary<(int Queue, CheckPointId Id, long Offset), long> _inHand = [];

        public void Step(long now)
        {
            int queueId = random.Next(Queues);
            PopQueue queue = pops.Topics.Get("G"u8, "T"u8).GetQueue(queueId);
            switch (random.Next(9))
            {
                case 0 or 1:
                    Take(queue, now);
                    break;
                case 2 or 3:
                    Ack(queue);
                    break;
                case 4:
                    AckMany(queue);
                    break;
                case 5:
                    Change(queue, now);
                    break;
                case 6:
                    Prolong(queue, now);
                    break;
                case 7:
                    Revive(now);
                    break;
                default:
                    Reset(queue);
                    break;
            }
        }

        public void AssertSame(PopStore store, string when)
        {
            for (int queueId = 0; queueId < Queues; queueId++)
            {
                PopQueue queue = store.Topics.Get("G"u8, "T"u8).GetQueue(queueId);
                int id = queueId;
                Assert.True(
                    PopStore.Unacked(queue).ToHashSet().SetEquals(_inHand.Keys.Where(key => key.Queue == id).Select(key => (key.Id, key.Offset))),
                    when);
                Assert.True(_next[queueId] == 0 || queue.NextOffset == _next[queueId], $"{when}: {queue.NextOffset}, not {_next[queueId]}");
            }

            Assert.Equal(_inHand.Count, store.InFlight);
            var due = new List<PopDue>();
            store.Revivals.CopyDue(long.MaxValue, int.MaxValue, due);
            Assert.Equal(
                _inHand.GroupBy(pair => (pair.Key.Queue, pair.Key.Id), pair => pair.Value).Select(batch => batch.Distinct().Single()).Order(),
                due.Select(item => item.DueMs).Order());
        }

        private void Take(PopQueue queue, long now)
        {
            long start = _next[queue.QueueId];
            var offsets = new List<long>();
            long offset = start;
            for (int i = random.Next(1, 33); i > 0; i--)
            {
                offset += random.Next(10) == 0 ? random.Next(1, 100) : 0;
                offsets.Add(offset++);
            }

            var id = new CheckPointId(start, now);
            long invisible = random.Next(1, 500);
            lock (queue.Gate)
            {
                bool isFree = !_inHand.Keys.Any(key => key.Queue == queue.QueueId && key.Id == id);
                Assert.Equal(isFree, pops.TryTake(queue, id, offsets.ToArray(), offset, invisible));
                if (!isFree)
                {
                    return;
                }
            }

            _next[queue.QueueId] = offset;
            foreach (long taken in offsets)
            {
                _inHand.Add((queue.QueueId, id, taken), now + invisible);
            }
        }

        private void Ack(PopQueue queue)
        {
            if (Choose(queue) is { } key)
            {
                var ack = new Acked();
                if (random.Next(2) == 0)
                {
                    Assert.True(pops.Ack(queue, key.Id, key.Offset));
                }
                else
                {
                    Assert.True(pops.TryAck(queue, key.Id, key.Offset, ack));
                    Assert.False(ack.IsWritten);
                    pops.WriteAcks();
                    Assert.True(ack.IsWritten);
                }

                Assert.False(pops.Ack(queue, key.Id, key.Offset));
                Assert.False(pops.TryAck(queue, key.Id, key.Offset, ack));
                _inHand.Remove((queue.QueueId, key.Id, key.Offset));
            }
        }

        private void AckMany(PopQueue queue)
        {
            if (Choose(queue) is not { } chosen)
            {
                return;
            }

            var bits = new byte[random.Next(1, 64)];
            random.NextBytes(bits);
            int expected = 0;
            foreach ((int Queue, CheckPointId Id, long Offset) key in _inHand.Keys.Where(key => key.Queue == queue.QueueId && key.Id == chosen.Id).ToList())
            {
                long distance = key.Offset - key.Id.StartOffset;
                if (distance < bits.Length * 8 && (bits[distance / 8] & (1 << (int)(distance % 8))) != 0)
                {
                    _inHand.Remove(key);
                    expected++;
                }
            }

            Assert.Equal(expected, pops.Ack(queue, chosen.Id, bits));
        }

        private void Change(PopQueue queue, long now)
        {
            if (Choose(queue) is not { } key)
            {
                return;
            }

            long invisible = random.Next(0, 500);
            Assert.True(pops.TryChange(queue, key.Id, key.Offset, now, invisible, out CheckPointId changed));
            _inHand.Remove((queue.QueueId, key.Id, key.Offset));
            _inHand.Add((queue.QueueId, changed, key.Offset), changed.PopTimeMs + invisible);
        }

        private void Prolong(PopQueue queue, long now)
        {
            if (Choose(queue) is not { } key)
            {
                return;
            }

            long dueMs = now + random.Next(0, 500);
            Assert.True(pops.TryProlong(queue, key.Id, key.Offset, dueMs));
            foreach ((int Queue, CheckPointId Id, long Offset) other in _inHand.Keys.Where(each => each.Queue == queue.QueueId && each.Id == key.Id).ToArray())
            {
                _inHand[other] = Math.Max(_inHand[other], dueMs);
            }
        }

        private void Revive(long now)
        {
            var due = new List<PopDue>();
            pops.Revivals.CopyDue(now, random.Next(1, 10), due);
            Assert.All(due, item => Assert.True(item.DueMs <= now));
            if (due.Count > 0)
            {
                pops.Revivals.Announce(now);
            }

            var round = new List<PopRevival>();
            foreach (PopCheckPoint checkPoint in due.Cast<PopCheckPoint>().Where(item => PopRevivals.TryBegin(item, now)))
            {
                uint done = random.Next(2) == 0 ? uint.MaxValue : (uint)random.NextInt64(uint.MaxValue);
                var revival = new PopRevival(checkPoint, done, now + random.Next(1, 100), PutOff: false, Failures: 0);
                round.Add(revival);
                for (int i = 0; i < checkPoint.Count; i++)
                {
                    (int, CheckPointId, long) key = (checkPoint.Queue.QueueId, checkPoint.Id, checkPoint.OffsetAt(i));
                    if ((done & (1u << i)) != 0)
                    {
                        _inHand.Remove(key);
                    }
                    else if (_inHand.ContainsKey(key))
                    {
                        _inHand[key] = revival.NextDueMs;
                    }
                }
            }

            pops.Revivals.End(round);
        }

        private void Reset(PopQueue queue)
        {
            _next[queue.QueueId] = random.Next(1, 1000);
            lock (queue.Gate)
            {
                pops.Reset(queue, _next[queue.QueueId]);
            }
        }

        private (CheckPointId Id, long Offset)? Choose(PopQueue queue)
        {
            IReadOnlyList<(CheckPointId Id, long QueueOffset)> all = PopStore.Unacked(queue);
            return all.Count == 0 ? null : all[random.Next(all.Count)];
        }
    }
}
