using GrayMQ.Protocol.Messages;
using GrayMQ.Store.Appending;
using GrayMQ.Store.ConsumeQueues;
using GrayMQ.Store.Files;
using GrayMQ.Store.Reading;
using GrayMQ.Store.Tests.Support;

namespace GrayMQ.Store.Tests;

/// <summary>What goes, when, and that nobody is hurt by it.</summary>
public sealed class RetentionTests : IDisposable
{
    private readonly TempFolder _folder = new(inMemory: true);
    private readonly ManualTime _time = new();
    private readonly FaultyFileSystem _files = new();
    private volatile int _freeSpace = 900;
    private int _rounds;

    public RetentionTests() => _files.Space = _ =>
    {
        Interlocked.Increment(ref _rounds);
        return new DiskSpace(1_000, _freeSpace, _freeSpace);
    };

    public void Dispose() => _folder.Dispose();

    private StoreOptions Options => TestStore.Options(_folder.Path) with
    {
        DiskMaxUsedSpaceRatio = 75,
        DiskSpaceCleanForciblyRatio = 85,
        DiskSpaceWarningLevelRatio = 90,
        MaxIndexEntries = 100,
        FileReservedHours = 2,
    };

    private TestStore Open() => TestStore.Open(Options, _files, _time);

    // Files that the log no longer has: counted by its beginning, since the next file may be there in advance.
    private long Removed(TestStore store) => store.Store.MinPhysicalOffset / Options.CommitLogFileBytes;

    // Five files, about an hour apart. At the end those have expired that are followed by a file begun at 15 o'clock or before: three.
    private List<AppendResult> Fill(TestStore store)
    {
        var appended = new List<AppendResult>();
        for (int hour = 0; hour < 5; hour++)
        {
            for (int i = 0; i < 58; i++)
            {
                appended.Add(store.Append(TestStore.Body(appended.Count, 1_000), queueId: 0, properties: $"UNIQ_KEY\u0001u{appended.Count}\u0002"));
            }

            _time.Advance(TimeSpan.FromHours(1));
        }

        store.WaitForDispatch();
        return appended;
    }

    // Lets the cleaner look once: it asks for the space of two folders, and then does what it has to.
    private void Clean(Func<bool> until, int seconds = 11)
    {
        int before = Volatile.Read(ref _rounds);
        _time.Advance(TimeSpan.FromSeconds(seconds));
        TestStore.WaitFor(() => Volatile.Read(ref _rounds) >= before + 2);
        TestStore.WaitFor(until);
    }

    [Fact]
    public async Task RemoveExpiredFiles_OldFiles_GoWithTheirQueueAndIndexFiles()
    {
        List<AppendResult> appended;
        long min;
        await using (TestStore store = Open())
        {
            appended = Fill(store);
            LogicQueue queue = store.Store.FindQueue(TestStore.Topic, 0)!;
            int indexFiles = Directory.GetFiles(_folder["index"]).Length;
            int removed = store.Store.RemoveExpiredFiles();
            Assert.Equal(3, removed);
            Assert.False(File.Exists(_folder["commitlog", $"{2 * Options.CommitLogFileBytes:D20}"]));
            Assert.True(File.Exists(_folder["commitlog", $"{3 * Options.CommitLogFileBytes:D20}"]));
            min = store.Store.MinPhysicalOffset;
            Assert.Equal((long)removed * Options.CommitLogFileBytes, min);

            int first = appended.FindIndex(result => result.PhysicalOffset >= min);
            Assert.Equal(first, queue.MinOffset);
            Assert.Equal(first / 50, 6 - Directory.GetFiles(_folder["consumequeue", TestStore.Topic, "0"]).Length);
            Assert.True(Directory.GetFiles(_folder["index"]).Length < indexFiles);
            Assert.Equal(appended.Count - first, store.ReadAll().Count);
            Assert.Equal(0, store.Store.RemoveExpiredFiles());
            AssertTooSmall(store, queue);
        }

        await using TestStore again = Open();
        Assert.Equal(min, again.Store.MinPhysicalOffset);
        Assert.Equal(appended.FindIndex(result => result.PhysicalOffset >= min), again.Store.FindQueue(TestStore.Topic, 0)!.MinOffset);
        Assert.Equal(appended.Count, again.Append("next").QueueOffset);

        static void AssertTooSmall(TestStore store, LogicQueue queue)
        {
            using var slices = new MessageSlices();
            Assert.Equal(ReadStatus.OffsetTooSmall, store.Store.Read(queue, 0, 32, 1 << 20, null, slices));
            Assert.Equal(queue.MinOffset, slices.NextOffset);
        }
    }

    [Fact]
    public async Task RemoveExpiredFiles_AFileInTheMiddleIsFillerOnly_TheNextOneTellsTheAge()
    {
        await using TestStore store = Open();
        Fill(store);
        byte[] filler = new byte[StoredMessageLayout.BlankHeaderBytes];
        StoredMessageWriter.WriteBlank(filler, Options.CommitLogFileBytes);
        using (IStoreFile file = _files.Open(_folder["commitlog", $"{2 * Options.CommitLogFileBytes:D20}"], create: false))
        {
            file.Write(0, filler);
        }

        Assert.Equal(3, store.Store.RemoveExpiredFiles());
        Assert.Equal(3 * Options.CommitLogFileBytes, store.Store.MinPhysicalOffset);
    }

    [Fact]
    public async Task RemoveExpiredFiles_NoLaterFileBeginsWithAMessage_TheFileItselfTellsItsAge()
    {
        await using TestStore store = Open();
        Fill(store);
        byte[] filler = new byte[StoredMessageLayout.BlankHeaderBytes];
        StoredMessageWriter.WriteBlank(filler, Options.CommitLogFileBytes);
        for (int number = 1; number < 5; number++)
        {
            using IStoreFile file = _files.Open(_folder["commitlog", $"{number * Options.CommitLogFileBytes:D20}"], create: false);
            file.Write(0, filler);
        }

        // The others hold no message any more that could tell.
        Assert.Equal(1, store.Store.RemoveExpiredFiles());
    }

    [Fact]
    public async Task RemoveExpiredFiles_QueueFilesCannotBeOpened_TheQueueStaysAndIsTrimmedLater()
    {
        await using TestStore store = Open();
        List<AppendResult> appended = Fill(store);
        LogicQueue queue = store.Store.FindQueue(TestStore.Topic, 0)!;
        queue.Unmap();
        _files.MayOpen = path => !path.Contains("consumequeue", StringComparison.Ordinal);
        Assert.Equal(3, store.Store.RemoveExpiredFiles());
        Assert.Equal(0, queue.MinOffset);
        Assert.Throws<IOException>(store.Store.RemoveExpiredQueueFiles);
        using (var slices = new MessageSlices())
        {
            Assert.Throws<IOException>(() => { store.Store.Read(queue, 60, 32, 1 << 20, null, slices); });
        }

        _files.MayOpen = _ => true;
        Assert.Equal(0, store.Store.RemoveExpiredFiles());
        int first = appended.FindIndex(result => result.PhysicalOffset >= store.Store.MinPhysicalOffset);
        Assert.Equal(first, queue.MinOffset);
        Assert.Equal(appended.Count - first, store.ReadAll().Count);
    }

    [Fact]
    public async Task Read_QueueFileIsMissing_GoesOnInTheNextFile()
    {
        await using TestStore store = Open();
        Fill(store);
        LogicQueue queue = store.Store.FindQueue(TestStore.Topic, 0)!;
        queue.Unmap();
        File.Delete(_folder["consumequeue", TestStore.Topic, "0", $"{0:D20}"]);
        using var slices = new MessageSlices();
        Assert.Equal(ReadStatus.OffsetFoundNull, store.Store.Read(queue, 7, 32, 1 << 20, null, slices));
        Assert.Equal(50, slices.NextOffset);
    }

    [Fact]
    public async Task RemoveExpiredFiles_ReaderHoldsALease_ItsBytesStay()
    {
        await using TestStore store = Open();
        Fill(store);
        using var slices = new MessageSlices();
        store.Store.Read(store.Store.FindQueue(TestStore.Topic, 0)!, 0, 32, 1 << 20, null, slices);
        Assert.Equal(32, slices.Count);
        Assert.True(store.Store.RemoveExpiredFiles() > 0);
        for (int i = 0; i < slices.Count; i++)
        {
            Assert.True(StoredMessage.TryRead(slices[i], out StoredMessage message, out _));
            Assert.True(message.Body.SequenceEqual(TestStore.Body(i, 1_000)));
        }
    }

    [Fact]
    public async Task Close_ReaderHoldsALease_ItsBytesStay()
    {
        using var slices = new MessageSlices();
        await using (TestStore store = Open())
        {
            store.Append(TestStore.Body(1, 1_000));
            store.WaitForDispatch();
            store.Store.Read(store.Store.FindQueue(TestStore.Topic, 0)!, 0, 32, 1 << 20, null, slices);
        }

        Assert.True(StoredMessage.TryRead(slices[0], out StoredMessage message, out _));
        Assert.True(message.Body.SequenceEqual(TestStore.Body(1, 1_000)));
    }

    [Fact]
    public async Task Clean_DeleteHour_RemovesExpiredFilesOnlyThen()
    {
        await using TestStore store = Open();
        Fill(store);
        for (int i = 0; i < 5; i++)
        {
            Clean(() => true);
        }

        Assert.Equal(0, Removed(store));

        // From 17 to 4 o'clock; by then everything but the last file has expired.
        Clean(() => Removed(store) == 4, seconds: 11 * 60 * 60);
    }

    [Fact]
    public async Task Clean_DiskAboveMaxUsed_RemovesExpiredFilesAtAnyHour()
    {
        await using TestStore store = Open();
        Fill(store);
        _freeSpace = 200;
        Clean(() => Removed(store) == 3);
        Assert.True(store.Append("still taken").IsOk);
    }

    [Fact]
    public async Task Clean_DiskAboveForcibly_RemovesFilesThatHaveNotExpired()
    {
        await using TestStore store = TestStore.Open(Options with { FileReservedHours = 1_000 }, _files, _time);
        Fill(store);
        _freeSpace = 130;
        Clean(() => Removed(store) == 4);
        Assert.True(store.Append("still taken").IsOk);
    }

    [Fact]
    public async Task Clean_DiskAboveWarning_RefusesAppendsAndServesReads()
    {
        await using TestStore store = TestStore.Open(Options with { CleanFileForciblyEnable = false, FileReservedHours = 1_000 }, _files, _time);
        List<AppendResult> appended = Fill(store);
        _freeSpace = 50;
        Clean(() => !store.Store.IsWritable);
        Assert.Equal(AppendStatus.ServiceNotAvailable, store.Append("no").Status);
        Assert.Equal(appended.Count, store.ReadAll().Count);
        _freeSpace = 900;
        Clean(() => store.Store.IsWritable);
        Assert.True(store.Append("yes").IsOk);
    }

    [Fact]
    public async Task Read_WhileFilesAreRemoved_GivesWholeMessagesOrNone()
    {
        await using TestStore store = Open();
        Fill(store);
        LogicQueue queue = store.Store.FindQueue(TestStore.Topic, 0)!;
        using var stop = new CancellationTokenSource();
        Task reader = Task.Run(() =>
        {
            using var slices = new MessageSlices();
            long offset = 0;
            while (!stop.IsCancellationRequested)
            {
                store.Store.Read(queue, offset, 32, 1 << 20, null, slices);
                for (int i = 0; i < slices.Count; i++)
                {
                    Assert.True(StoredMessage.TryRead(slices[i], out StoredMessage message, out _));
                    Assert.True(message.BodyCrcMatches());
                }

                offset = slices.NextOffset >= queue.MaxOffset ? 0 : slices.NextOffset;
            }
        });
        for (int i = 0; i < 200; i++)
        {
            store.Append(TestStore.Body(i, 5_000));
            _time.Advance(TimeSpan.FromMinutes(20));
            store.WaitForDispatch();
            store.Store.RemoveExpiredFiles();
        }

        await stop.CancelAsync();
        await reader;
        Assert.True(store.Store.MinPhysicalOffset > 10 * Options.CommitLogFileBytes);
        Assert.True(store.Store.MaxPhysicalOffset - store.Store.MinPhysicalOffset <= 4 * Options.CommitLogFileBytes);
    }

    [Fact]
    public async Task UnmapIdle_QueueFiles_AreMappedAgainWhenNeeded()
    {
        await using TestStore store = Open();
        for (int i = 0; i < 100; i++)
        {
            store.Append("x", topic: $"T{i}");
        }

        store.WaitForDispatch();
        Assert.Equal(100, Mapped(store));
        Clean(() => Mapped(store) == 0 && !File.ReadLines("/proc/self/maps").Any(line => line.Contains(Options.ConsumeQueuePath)), seconds: 120);
        Assert.Equal(["x"], store.ReadBodies("T7"));
        Assert.Equal(1, Mapped(store));
        Assert.Equal(1, store.Append("y", topic: "T8").QueueOffset);
        store.WaitForDispatch();
        Assert.Equal(["x", "y"], store.ReadBodies("T8"));

        static int Mapped(TestStore store)
        {
            int count = 0;
            foreach (LogicQueue queue in store.Store.Queues)
            {
                foreach (ConsumeQueueFile file in queue.Files)
                {
                    count += file.IsMapped ? 1 : 0;
                }
            }

            return count;
        }
    }

    [Fact]
    public async Task Append_QueueBeginsAgainAfterRetention_IsFilledUpBeforeItsFirstEntry()
    {
        // A queue whose files are lost, rebuilt from a log that no longer begins at its first message.
        await using (TestStore store = Open())
        {
            Fill(store);
            store.Store.RemoveExpiredFiles();
        }

        Directory.Delete(_folder["consumequeue"], recursive: true);
        await using TestStore again = Open();
        LogicQueue queue = again.Store.FindQueue(TestStore.Topic, 0)!;
        Assert.True(queue.MinOffset > 0);
        Assert.Equal(290, queue.MaxOffset);
        Assert.Equal(queue.MaxOffset - queue.MinOffset, again.ReadAll().Count);
        string first = Directory.GetFiles(_folder["consumequeue", TestStore.Topic, "0"]).Order(StringComparer.Ordinal).First();
        byte[] bytes = FaultyFileSystem.ReadShared(first);
        Assert.Equal(ConsumeQueueEntry.Blank, ConsumeQueueEntry.Read(bytes));
        Assert.Equal(50 * ConsumeQueueEntry.Bytes, bytes.Length);
    }
}
