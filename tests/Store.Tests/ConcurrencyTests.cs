using System.Buffers;
using System.Text;
using GrayMQ.Protocol.Messages;
using GrayMQ.Store.Appending;
using GrayMQ.Store.ConsumeQueues;
using GrayMQ.Store.Reading;
using GrayMQ.Store.Tests.Support;

namespace GrayMQ.Store.Tests;

/// <summary>Many threads at once, and what a message costs.</summary>
public sealed class ConcurrencyTests : IDisposable
{
    private readonly TempFolder _folder = new(inMemory: true);

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(FlushDiskType.AsyncFlush, false)]
    [InlineData(FlushDiskType.AsyncFlush, true)]
    [InlineData(FlushDiskType.SyncFlush, false)]
    [InlineData(FlushDiskType.SyncFlush, true)]
    public async Task Append_SeveralThreads_EveryQueueIsContiguousAndWhole(FlushDiskType flushDiskType, bool announcedLater)
    {
        const int Writers = 4;
        const int PerWriter = 1_500;
        await using TestStore store = TestStore.Open(TestStore.Options(_folder.Path) with { FlushDiskType = flushDiskType });
        using var done = new CancellationTokenSource();
        Task reader = Task.Run(() => Follow(store, 0, Writers * PerWriter / 2));
        Task otherReader = Task.Run(() => Follow(store, 1, Writers * PerWriter / 2));
        await Task.WhenAll(Enumerable.Range(0, Writers).Select(writer => Task.Run(async () =>
        {
            for (int i = 0; i < PerWriter; i++)
            {
                string body = $"{writer}:{i}";
                AppendResult result = announcedLater
                    ? store.AppendAnnouncedLater(body, writer % 2)
                    : store.Append(body, queueId: writer % 2, properties: $"UNIQ_KEY\u0001{writer}-{i}\u0002");
                Assert.True(result.IsOk);
                if (announcedLater && i % 7 == 0)
                {
                    store.Store.FlushAppended();
                }

                if (i % 100 == 0)
                {
                    store.Store.FlushAppended();
                    await store.Store.WaitForFlushAsync(result.EndOffset);
                }
            }

            store.Store.AnnounceAppended();
        })));
        await Task.WhenAll(reader, otherReader);

        var last = new Dictionary<string, int>();
        for (int queueId = 0; queueId < 2; queueId++)
        {
            foreach (string body in store.ReadBodies(queueId: queueId))
            {
                string[] parts = body.Split(':');
                int number = int.Parse(parts[1], System.Globalization.CultureInfo.InvariantCulture);
                Assert.Equal(last.GetValueOrDefault(parts[0], -1) + 1, number);
                last[parts[0]] = number;
            }
        }

        Assert.All(last.Values, value => Assert.Equal(PerWriter - 1, value));
        Assert.Equal(Writers * PerWriter, store.Arrivals.All.Count);
        Assert.Equal(Writers * PerWriter, store.Store.Statistics.PutTimesTotal);
    }

    [Fact]
    public async Task Append_SeveralThreads_RecordsOfAllSizesStandWholeAndInTheOrderOfTheirTimes()
    {
        const int PerWriter = 150;
        const int KiB = 1024;
        StoreOptions options = TestStore.Options(_folder.Path) with { CommitLogFileBytes = 4 * KiB * KiB, MaxMessageBytes = KiB * KiB };
        await using TestStore store = TestStore.Open(options);

        // Those of the last two need a larger buffer than the usual, beside others that are being filled.
        int[] sizes = [10, 3 * KiB, 90 * KiB, 700 * KiB];
        Parallel.For(0, sizes.Length, writer =>
        {
            byte[] body = TestStore.Body(writer, sizes[writer]);
            for (int i = 0; i < PerWriter; i++)
            {
                Assert.True(store.Append(body, queueId: writer).IsOk);
            }
        });
        store.WaitForDispatch();

        var times = new SortedDictionary<long, long>();
        for (int writer = 0; writer < sizes.Length; writer++)
        {
            byte[] body = TestStore.Body(writer, sizes[writer]);
            List<ReceivedMessage> messages = store.ReadAll(queueId: writer);
            Assert.Equal(PerWriter, messages.Count);
            foreach (ReceivedMessage message in messages)
            {
                Assert.Equal(body, message.Body.ToArray());
                times.Add(message.PhysicalOffset, message.StoreTimestampMs);
            }
        }

        Assert.Equal(times.Values.Order(), times.Values);
    }

    // Reads a queue while it grows: offsets without gaps, bodies whole.
    private static void Follow(TestStore store, int queueId, int count)
    {
        LogicQueue queue = store.Store.GetQueue(TestStore.Topic, queueId);
        using var slices = new MessageSlices();
        long offset = 0;
        TestStore.WaitFor(() =>
        {
            store.Store.Read(queue, offset, 32, 1 << 20, null, slices);
            for (int i = 0; i < slices.Count; i++)
            {
                Assert.True(StoredMessage.TryRead(slices[i], out StoredMessage message, out _));
                Assert.Equal(offset + i, message.QueueOffset);
                Assert.True(message.BodyCrcMatches());
            }

            offset = slices.NextOffset;
            return offset == count;
        });
    }

    [Fact]
    public async Task AppendAndRead_SteadyState_AllocateNothing()
    {
        const int Messages = 5_000;
        StoreOptions options = TestStore.Options(_folder.Path) with
        {
            CommitLogFileBytes = 64 * 1024 * 1024,
            ConsumeQueueFileBytes = 100_000 * ConsumeQueueEntry.Bytes,
            MaxIndexEntries = 100_000,
        };
        await using TestStore store = TestStore.Open(options);
        store.Arrivals.IsPaused = true;
        var body = new ReadOnlySequence<byte>(TestStore.Body(1, 1_000));
        byte[] topic = Encoding.UTF8.GetBytes(TestStore.Topic);
        byte[] properties = "UNIQ_KEY\u00017F0000010000A3B7\u0002KEYS\u0001a b\u0002TAGS\u0001t\u0002"u8.ToArray();
        using var slices = new MessageSlices();
        var writer = new ArrayBufferWriter<byte>(1 << 20);

        AppendMany();
        store.WaitForDispatch();
        ReadAllOnce();
        long before = GC.GetAllocatedBytesForCurrentThread();
        AppendMany();
        long appended = GC.GetAllocatedBytesForCurrentThread() - before;
        store.WaitForDispatch();
        before = GC.GetAllocatedBytesForCurrentThread();
        ReadAllOnce();
        long read = GC.GetAllocatedBytesForCurrentThread() - before;

        // The appender also dispatches, and now and then opens a file to reserve room in it, and a collection meanwhile counts what was left of
        // the thread's 8 KB: that is far below an object for each message.
        Assert.InRange(appended, 0, Messages + 8_192);
        Assert.Equal(0, read);

        void AppendMany()
        {
            for (int i = 0; i < Messages; i++)
            {
                AppendResult result = store.Store.Append(
                    store.Store.GetQueue(topic, i % 4),
                    new MessageAppend { Body = body, Properties = properties, BornHost = TestStore.Host, StoreHost = TestStore.Host });
                if (!result.IsOk)
                {
                    throw new InvalidOperationException(result.Status.ToString());
                }
            }
        }

        void ReadAllOnce()
        {
            for (int queueId = 0; queueId < 4; queueId++)
            {
                LogicQueue queue = store.Store.FindQueue(topic, queueId)!;
                long offset = 0;
                while (offset < queue.MaxOffset)
                {
                    store.Store.Read(queue, offset, 32, 1 << 20, null, slices);
                    writer.ResetWrittenCount();
                    slices.CopyTo(writer);
                    offset = slices.NextOffset;
                }
            }
        }
    }

    [Fact]
    public async Task Dispatch_SteadyState_AllocatesNothing()
    {
        StoreOptions options = TestStore.Options(_folder.Path) with
        {
            CommitLogFileBytes = 64 * 1024 * 1024,
            ConsumeQueueFileBytes = 100_000 * ConsumeQueueEntry.Bytes,
            MaxIndexEntries = 200_000,
            CheckPointIntervalMs = int.MaxValue,
        };
        await using TestStore store = TestStore.Open(options, time: new ManualTime());
        var allocations = new AllocationListener(10_000, 20_000);
        await using MessageStore own = MessageStore.Open(
            options with { RootDirectory = _folder["own"] },
            Files.LinuxFileSystem.Instance,
            new ManualTime(),
            Microsoft.Extensions.Logging.Abstractions.NullLoggerFactory.Instance,
            allocations);
        own.Start();
        LogicQueue queue = own.GetQueue("T", 0);
        var body = new ReadOnlySequence<byte>(TestStore.Body(1, 500));
        for (int i = 0; i < 20_000; i++)
        {
            own.Append(queue, new MessageAppend { Body = body, Properties = "UNIQ_KEY\u0001u\u0002TAGS\u0001t\u0002"u8, BornHost = TestStore.Host, StoreHost = TestStore.Host });
        }

        TestStore.WaitFor(() => allocations.IsDone);

        // Not per message: the handles with which blocks are reserved ahead, every few thousand entries.
        Assert.InRange(allocations.Bytes, 0, 10_000);
    }

    [Fact]
    public async Task WaitForFlush_SteadyState_AllocatesNothingPerWait()
    {
        await using TestStore store = TestStore.Open(
            TestStore.Options(_folder.Path) with { FlushDiskType = FlushDiskType.SyncFlush, CommitLogFileBytes = 64 * 1024 * 1024 });
        store.Arrivals.IsPaused = true;
        var commits = new Flushing.GroupCommit(TimeProvider.System);
        long offset = 0;
        Run(100);
        long before = GC.GetAllocatedBytesForCurrentThread();
        Run(10_000);

        // Not per wait: the threads that the pool starts when it sees fit.
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 12_000);

        void Run(int times)
        {
            for (int i = 0; i < times; i++)
            {
                ValueTask<Flushing.FlushStatus> waiting = commits.Add(++offset);
                commits.Complete(offset);
                var spin = new SpinWait();
                while (!waiting.IsCompleted)
                {
                    spin.SpinOnce();
                }

                if (waiting.GetAwaiter().GetResult() != Flushing.FlushStatus.Flushed)
                {
                    throw new InvalidOperationException();
                }
            }
        }
    }

    /// <summary>Counts what the dispatcher's thread allocates from one message to another.</summary>
    private sealed class AllocationListener(int from, int to) : Dispatching.IArrivalListener
    {
        private long _before;
        private int _count;

        public long Bytes { get; private set; } = -1;

        public bool IsDone => Volatile.Read(ref _count) >= to;

        public void OnArrived(LogicQueue queue, long queueOffset, long tagsCode, in StoredMessage message)
        {
            long allocated = GC.GetAllocatedBytesForCurrentThread();
            int count = _count + 1;
            if (count == from)
            {
                _before = allocated;
            }
            else if (count == to)
            {
                Bytes = allocated - _before;
            }

            Volatile.Write(ref _count, count);
        }
    }
}
