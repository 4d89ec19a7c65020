using System.Buffers;
using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Text;
using GrayMQ.Protocol.Messages;
using GrayMQ.Store.Appending;
using GrayMQ.Store.ConsumeQueues;
using GrayMQ.Store.Flushing;
using GrayMQ.Store.Tests.Support;

namespace GrayMQ.Store.Tests;

/// <summary>Disks that are full, fail, hang, or lose their power.</summary>
public sealed class FaultTests : IDisposable
{
    private readonly TempFolder _folder = new(inMemory: true);
    private readonly FaultyFileSystem _files = new();

    public void Dispose() => _folder.Dispose();

    private string Root => _folder["store"];

    private StoreOptions SyncOptions => TestStore.Options(Root) with { FlushDiskType = FlushDiskType.SyncFlush };

    [Fact]
    public async Task Append_NoRoomForTheNextFile_IsRefusedAndReadsGoOnAndSpaceHeals()
    {
        var time = new ManualTime();
        StoreOptions options = TestStore.Options(Root);
        await using TestStore store = TestStore.Open(options, _files, time);
        int stored = 0;
        _files.MayAllocate = path => !path.Contains("commitlog", StringComparison.Ordinal);
        store.Append(TestStore.Body(stored, 1_000));
        Assert.Equal(0, store.Store.Statistics.PutTimesTotal);

        // The first file can be made, the second cannot.
        _files.MayAllocate = path => !path.Contains($"commitlog/{options.CommitLogFileBytes:D20}", StringComparison.Ordinal);
        time.Advance(TimeSpan.FromSeconds(2));
        AppendResult result;
        while ((result = store.Append(TestStore.Body(stored, 1_000))).IsOk)
        {
            stored++;
        }

        Assert.Equal(AppendStatus.CreateMappedFileFailed, result.Status);
        Assert.True(stored > 50);
        Assert.Equal(AppendStatus.CreateMappedFileFailed, store.Append(TestStore.Body(stored, 1_000)).Status);
        Assert.True(store.Store.IsWritable);
        store.WaitForDispatch();
        Assert.Equal(stored, store.ReadAll().Count);
        Assert.False(File.Exists(Path.Combine(Root, "commitlog", $"{options.CommitLogFileBytes:D20}")));

        // A small message still fits into what is left of the file.
        Assert.True(store.Append("small").IsOk);

        _files.MayAllocate = _ => true;
        time.Advance(TimeSpan.FromSeconds(2));
        result = store.Append(TestStore.Body(stored, 1_000));
        Assert.Equal(AppendStatus.Ok, result.Status);
        Assert.Equal(options.CommitLogFileBytes, result.PhysicalOffset);
        store.WaitForDispatch();
        Assert.Equal(stored + 2, store.ReadAll().Count);
    }

    [Fact]
    public async Task Dispatch_NoRoomForQueues_WaitsAndLosesNothing()
    {
        var time = new ManualTime();
        var logs = new LogRecorder();
        await using TestStore store = TestStore.Open(TestStore.Options(Root), _files, time, logs);
        store.Append("0", properties: "UNIQ_KEY\u0001u\u0002");
        store.WaitForDispatch();
        _files.MayAllocate = path => path.Contains("commitlog", StringComparison.Ordinal);
        for (int i = 1; i < 300; i++)
        {
            Assert.True(store.Append(i.ToString(System.Globalization.CultureInfo.InvariantCulture), queueId: i % 2, properties: $"UNIQ_KEY\u0001u{i}\u0002").IsOk);
        }

        TestStore.WaitFor(() => logs.Warnings.Any(line => line.Contains("could not be dispatched", StringComparison.Ordinal)));
        Assert.True(store.Store.DispatchBehindBytes > 0);
        Assert.Equal("0", store.ReadBodies()[0]);

        _files.MayAllocate = _ => true;
        TestStore.WaitFor(() =>
        {
            time.Advance(TimeSpan.FromSeconds(1));
            return store.Store.DispatchBehindBytes == 0;
        });
        Assert.Equal(Enumerable.Range(0, 150).Select(i => $"{2 * i}"), store.ReadBodies(queueId: 0));
        Assert.Equal(Enumerable.Range(0, 150).Select(i => $"{(2 * i) + 1}"), store.ReadBodies(queueId: 1));
        Assert.Equal(300, store.Arrivals.All.Count);
    }

    [Fact]
    public async Task Dispatch_NoRoomForTheIndexHalfwayThroughAMessage_ItsKeysAreAllFoundOnceThereIs()
    {
        var time = new ManualTime();
        var logs = new LogRecorder();
        await using TestStore store = TestStore.Open(TestStore.Options(Root) with { MaxIndexEntries = 100 }, _files, time, logs);
        for (int i = 0; i < 98; i++)
        {
            store.Append("x", properties: $"UNIQ_KEY\u0001u{i}\u0002");
        }

        // One entry is left in the file; the second key of the next message needs another file.
        store.WaitForDispatch();
        _files.MayAllocate = path => !path.Contains("/index/", StringComparison.Ordinal);
        long offset = store.Append("y", properties: "UNIQ_KEY\u0001u98\u0002KEYS\u0001red blue\u0002").PhysicalOffset;
        TestStore.WaitFor(() => logs.Warnings.Any(line => line.Contains("could not be dispatched", StringComparison.Ordinal)));
        Assert.Empty(Query("u98"));

        _files.MayAllocate = _ => true;
        TestStore.WaitFor(() =>
        {
            time.Advance(TimeSpan.FromSeconds(1));
            return store.Store.DispatchBehindBytes == 0;
        });
        Assert.All(["u98", "red", "blue"], key => Assert.Equal([offset], Query(key)));
        Assert.Single(Query("u97"));
        Assert.Equal("y", store.ReadBodies()[^1]);

        IReadOnlyList<long> Query(string key) =>
            store.Store.QueryByKey(TestStore.Topic, key, 10, 0, long.MaxValue).PhysicalOffsets;
    }

    [Fact]
    public async Task TakeCheckPoint_QueueFileCannotBeOpened_IsTakenOnceItCan()
    {
        await using TestStore store = TestStore.Open(TestStore.Options(Root) with { CheckPointIntervalMs = int.MaxValue }, _files);
        store.Append("x", properties: "UNIQ_KEY\u0001u\u0002");
        store.WaitForDispatch();
        store.Store.FindQueue(TestStore.Topic, 0)!.Unmap();
        _files.MayOpen = path => !path.Contains("consumequeue", StringComparison.Ordinal);
        Assert.False(store.Store.TakeCheckPoint());

        _files.MayOpen = _ => true;
        var flushed = new ConcurrentBag<string>();
        _files.MayFlush = path =>
        {
            flushed.Add(path);
            return true;
        };
        Assert.True(store.Store.TakeCheckPoint());
        Assert.Contains(flushed, path => path.Contains("consumequeue", StringComparison.Ordinal));
        Assert.Contains(flushed, path => path.Contains("/index/", StringComparison.Ordinal));
    }

    [Fact]
    public async Task TakeCheckPoint_QueueFlushFails_NoneIsTakenAnyMore()
    {
        await using TestStore store = TestStore.Open(TestStore.Options(Root) with { CheckPointIntervalMs = int.MaxValue }, _files);
        store.Append("x");
        store.WaitForDispatch();
        _files.MayFlush = path => !path.Contains("consumequeue", StringComparison.Ordinal);
        Assert.False(store.Store.TakeCheckPoint());
        _files.MayFlush = _ => true;
        Assert.False(store.Store.TakeCheckPoint());
    }

    [Fact]
    public async Task TakeCheckPoint_NoneIsTakenAnyMore_QueueFilesAreUnmappedAllTheSame()
    {
        var time = new ManualTime();
        StoreOptions options = TestStore.Options(Root) with { CheckPointIntervalMs = int.MaxValue };
        await using TestStore store = TestStore.Open(options, _files, time);
        store.Append("x");
        store.WaitForDispatch();
        _files.MayFlush = path => !path.Contains("consumequeue", StringComparison.Ordinal);
        Assert.False(store.Store.TakeCheckPoint());
        for (int i = 0; i < 200; i++)
        {
            store.Append("x", queueId: i % 4);
        }

        store.WaitForDispatch();
        Assert.NotEmpty(Mapped());
        TestStore.WaitFor(() =>
        {
            Assert.False(store.Store.TakeCheckPoint());
            time.Advance(TimeSpan.FromMinutes(2));
            return !Mapped().Any();
        });
        Assert.Equal(51, store.ReadBodies(TestStore.Topic).Count);

        IEnumerable<string> Mapped() => File.ReadLines("/proc/self/maps").Where(line => line.Contains(options.ConsumeQueuePath));
    }

    [Fact]
    public async Task Dispatch_DamageInTheLastFile_GoesOnWithWhatIsAppendedLater()
    {
        await using TestStore store = TestStore.Open(SyncOptions, _files, start: false);
        store.Append("first");
        AppendResult bad = store.Append("bad");
        _files.Written = path =>
        {
            _files.Written = _ => { };
            using Files.IStoreFile file = _files.Open(path, create: false);
            file.Write(bad.PhysicalOffset, new byte[8]);
        };
        store.Store.Start();
        store.WaitForDispatch();
        Assert.Equal(store.Store.MaxPhysicalOffset, store.Store.DispatchedOffset);
        store.Append("later");
        store.WaitForDispatch();
        Assert.Equal(["first", "later"], store.ReadBodies());
    }

    [Fact]
    public async Task Dispose_EmptyStoreWithSyncFlush_DispatchesNothing()
    {
        TestStore store = TestStore.Open(SyncOptions, _files);
        await store.DisposeAsync();
        Assert.Equal(0, store.Store.DispatchedOffset);
        Assert.False(File.Exists(Path.Combine(Root, "abort")));
    }

    [Fact]
    public async Task WaitForFlush_ACheckPointFlushesTheLog_CompletesWhoWaits()
    {
        await using (TestStore store = TestStore.Open(TestStore.Options(Root) with { CheckPointIntervalMs = int.MaxValue }))
        {
            store.Append("before");
            store.WaitForDispatch();
            Folders.Copy(Root, _folder["killed"]);
        }

        // What recovery found is dispatched, but not known to be on disk: the check point flushes, and the flusher does not run.
        StoreOptions options = TestStore.Options(_folder["killed"]) with { FlushDiskType = FlushDiskType.SyncFlush };
        await using TestStore killed = TestStore.Open(options, _files, start: false);
        Task<FlushStatus> waiting = killed.Store.WaitForFlushAsync(killed.Append("next").EndOffset).AsTask();
        Assert.False(waiting.IsCompleted);
        var waiter = new ToldWaiter();
        Assert.Null(killed.Store.WaitForFlush(killed.Store.MaxPhysicalOffset, waiter));
        Assert.True(killed.Store.TakeCheckPoint());
        Assert.Equal(killed.Store.MaxPhysicalOffset, killed.Store.FlushedOffset);
        Assert.Equal(FlushStatus.Flushed, await waiting.WaitAsync(TimeSpan.FromSeconds(60)));
        Assert.Equal(FlushStatus.Flushed, await waiter.Told.WaitAsync(TimeSpan.FromSeconds(60)));
    }

    [Fact]
    public async Task WaitForFlush_NothingToWaitFor_SaysSoAndTellsNobody()
    {
        var waiter = new ToldWaiter();
        TestStore store = TestStore.Open(SyncOptions, _files);
        store.Append("message");
        await store.FlushAsync();
        long end = store.Store.MaxPhysicalOffset;
        Assert.Equal(FlushStatus.Flushed, store.Store.WaitForFlush(end, waiter));
        await store.DisposeAsync();
        Assert.Equal(FlushStatus.Closed, store.Store.WaitForFlush(end + 1, waiter));
        Assert.False(waiter.Told.IsCompleted);
    }

    private sealed class ToldWaiter : FlushWaiter
    {
        private readonly TaskCompletionSource<FlushStatus> _told = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task<FlushStatus> Told => _told.Task;

        protected override void OnFlushed(FlushStatus status) => _told.SetResult(status);
    }

    [Fact]
    public async Task Open_FullDiskAfterKill_ServesWhatIsThere()
    {
        await using (TestStore store = TestStore.Open(TestStore.Options(Root)))
        {
            for (int i = 0; i < 100; i++)
            {
                store.Append($"{i}");
            }

            store.WaitForDispatch();
            Folders.Copy(Root, _folder["killed"]);
        }

        var time = new ManualTime();
        _files.MayAllocate = _ => false;
        await using TestStore killed = TestStore.Open(TestStore.Options(_folder["killed"]), _files, time);
        Assert.Equal(AppendStatus.CreateMappedFileFailed, killed.Append("no").Status);
        _files.MayAllocate = _ => true;
        TestStore.WaitFor(() =>
        {
            time.Advance(TimeSpan.FromSeconds(1));
            return killed.Store.DispatchBehindBytes == 0;
        });
        Assert.Equal(Enumerable.Range(0, 100).Select(i => $"{i}"), killed.ReadBodies());
        Assert.Equal(100, killed.Append("yes").QueueOffset);
    }

    [Fact]
    public async Task WaitForFlush_DiskFails_WaitersAreToldAndAppendsRefused()
    {
        var logs = new LogRecorder();
        await using (TestStore store = TestStore.Open(SyncOptions, _files, logs: logs))
        {
            AppendResult good = store.Append("good");
            Assert.Equal(FlushStatus.Flushed, await store.Store.WaitForFlushAsync(good.EndOffset));
            store.WaitForDispatch();

            _files.MayFlush = path => !path.Contains("commitlog", StringComparison.Ordinal);
            AppendResult bad = store.Append("bad");
            Assert.True(bad.IsOk);
            Assert.Equal(FlushStatus.Failed, await store.Store.WaitForFlushAsync(bad.EndOffset));
            Assert.Equal(AppendStatus.ServiceNotAvailable, store.Append("refused").Status);
            Assert.False(store.Store.IsWritable);

            // Even if the disk says that it is well again: what it lost, nobody knows.
            _files.MayFlush = _ => true;
            Assert.Equal(FlushStatus.Failed, await store.Store.WaitForFlushAsync(bad.EndOffset));
            Assert.Equal(AppendStatus.ServiceNotAvailable, store.Append("refused").Status);
            Assert.Equal(["good"], store.ReadBodies());
        }

        Assert.Contains(logs.Warnings, line => line.Contains("flush of the commit log", StringComparison.Ordinal));
        Assert.True(File.Exists(Path.Combine(Root, "abort")));
        await using TestStore again = TestStore.Open(SyncOptions);
        Assert.Equal("good", again.ReadBodies()[0]);
        Assert.True(again.Append("new").IsOk);
    }

    [Theory]
    [InlineData(FlushDiskType.AsyncFlush)]
    [InlineData(FlushDiskType.SyncFlush)]
    public async Task Append_CannotBeWritten_NobodyIsToldOtherwiseAndTheNextStartGoesOnBeforeIt(FlushDiskType flush)
    {
        var logs = new LogRecorder();
        StoreOptions options = SyncOptions with { FlushDiskType = flush };
        await using (TestStore store = TestStore.Open(options, _files, logs: logs))
        {
            AppendResult good = store.Append("good");
            Assert.Equal(FlushStatus.Flushed, await store.Store.WaitForFlushAsync(good.EndOffset));
            store.WaitForDispatch();

            _files.MayWrite = path => !path.Contains("commitlog", StringComparison.Ordinal);
            Assert.Equal(AppendStatus.ServiceNotAvailable, store.Append("bad").Status);
            _files.MayWrite = _ => true;
            Assert.Equal(AppendStatus.ServiceNotAvailable, store.Append("refused").Status);
            Assert.Equal(["good"], store.ReadBodies());
        }

        Assert.Contains(logs.Warnings, line => line.Contains("could not be written", StringComparison.Ordinal));
        Assert.True(File.Exists(Path.Combine(Root, "abort")));
        await using TestStore again = TestStore.Open(options);
        Assert.Equal(["good"], again.ReadBodies());
        Assert.Equal(1, again.Append("new").QueueOffset);
    }

    [Fact]
    public async Task Append_NextFileIsNeededWhileAWriteIsUnderWay_TheRestOfTheFileIsMarkedAsBlank()
    {
        StoreOptions options = TestStore.Options(Root) with { MaxMessageBytes = 48 * 1024 };
        using var writing = new ManualResetEventSlim();
        using var goOn = new ManualResetEventSlim();
        _files.MayWrite = path =>
        {
            if (path.Contains("commitlog", StringComparison.Ordinal))
            {
                writing.Set();
                goOn.Wait();
            }

            return true;
        };
        AppendResult first = default;
        await using (TestStore store = TestStore.Open(options, _files))
        {
            // The first write of a file clears what stands behind its records, and with it where the second thread marks the end.
            var firstAppender = new Thread(() => first = store.Append(TestStore.Body(1, 30 * 1024)));
            var secondAppender = new Thread(() => store.Append(TestStore.Body(2, 40 * 1024)));
            firstAppender.Start();
            Assert.True(writing.Wait(TimeSpan.FromSeconds(60)));
            secondAppender.Start();
            TestStore.WaitFor(() => secondAppender.ThreadState.HasFlag(ThreadState.WaitSleepJoin));
            goOn.Set();
            firstAppender.Join();
            secondAppender.Join();
        }

        byte[] file = File.ReadAllBytes(Path.Combine(options.CommitLogPath, "00000000000000000000"));
        ReadOnlySpan<byte> blank = file.AsSpan((int)first.EndOffset);
        Assert.Equal(blank.Length, BinaryPrimitives.ReadInt32BigEndian(blank));
        Assert.Equal(StoredMessageLayout.MagicBlank, BinaryPrimitives.ReadInt32BigEndian(blank[StoredMessageLayout.MagicPosition..]));
        await using TestStore again = TestStore.Open(options);
        Assert.Equal([30 * 1024, 40 * 1024], again.ReadAll().ConvertAll(message => message.Body.Length));
    }

    [Fact]
    public async Task AnnounceAppended_CannotBeWritten_Throws()
    {
        await using TestStore store = TestStore.Open(TestStore.Options(Root), _files);
        _files.MayWrite = path => !path.Contains("commitlog", StringComparison.Ordinal);
        Assert.True(store.AppendAnnouncedLater("bad").IsOk);
        Assert.Throws<Files.FlushFailedException>(store.Store.AnnounceAppended);

        // Another one who had appended finds nothing left to write, which is no reason to believe that it is written.
        _files.MayWrite = _ => true;
        Assert.Throws<Files.FlushFailedException>(store.Store.AnnounceAppended);
        Assert.Empty(store.Arrivals.All);
        Assert.False(store.Store.IsWritable);
    }

    [Fact]
    public async Task AnnounceAppended_AFlushHasFailedSince_Throws()
    {
        await using TestStore store = TestStore.Open(TestStore.Options(Root), _files, start: false);
        store.Append("first");
        _files.FlushGate.Reset();
        int flushes = _files.Flushes;
        Task<bool> checkPoint = Task.Run(store.Store.TakeCheckPoint);
        TestStore.WaitFor(() => _files.Flushes > flushes);
        Assert.True(store.AppendAnnouncedLater("late").IsOk);
        _files.MayFlush = path => !path.Contains("commitlog", StringComparison.Ordinal);
        _files.FlushGate.Set();
        Assert.False(await checkPoint);
        Assert.Throws<Files.FlushFailedException>(store.Store.AnnounceAppended);
        Assert.Throws<Files.FlushFailedException>(store.Store.AnnounceAppended);
        Assert.Equal(["first"], store.ReadBodies());
    }

    [Fact]
    public async Task Append_ItsBodyComesSlowly_OthersGetTheirPlacesAndAreWrittenBehindIt()
    {
        await using TestStore store = TestStore.Open(TestStore.Options(Root), _files);
        using var slow = new HeldMemory();
        Task<AppendResult> first = Task.Run(() => AppendFrom(store, slow));
        TestStore.WaitFor(() => slow.IsAsked);
        AppendResult second = store.AppendAnnouncedLater("second");
        Assert.Equal((AppendStatus.Ok, 1), (second.Status, second.QueueOffset));
        var told = new TaskCompletionSource<Exception?>(TaskCreationOptions.RunContinuationsAsynchronously);
        store.Store.AnnounceAppendedSoon(told.SetResult);
        Assert.Equal(2, store.AppendAnnouncedLater("third").QueueOffset);
        Assert.Empty(store.Arrivals.All);
        slow.Release(new byte[100]);
        Assert.True((await first).IsOk);
        Assert.Null(await told.Task.WaitAsync(TimeSpan.FromSeconds(60)));
        store.Store.AnnounceAppended();
        store.WaitForDispatch();
        Assert.Equal(["second", "third"], store.ReadBodies()[1..]);
    }

    [Fact]
    public async Task Append_ItsBodyCannotBeRead_NothingIsKeptThatStandsBehindItsPlace()
    {
        var logs = new LogRecorder();
        StoreOptions options = TestStore.Options(Root);
        await using (TestStore store = TestStore.Open(options, _files, logs: logs))
        {
            store.Append("good");
            using var gone = new HeldMemory();
            Task<AppendResult> first = Task.Run(() => AppendFrom(store, gone));
            TestStore.WaitFor(() => gone.IsAsked);
            Assert.True(store.AppendAnnouncedLater("behind").IsOk);
            gone.Release(null);
            await Assert.ThrowsAsync<ObjectDisposedException>(() => first);
            Assert.Throws<Files.FlushFailedException>(store.Store.AnnounceAppended);
            Assert.Equal(AppendStatus.ServiceNotAvailable, store.Append("refused").Status);
        }

        Assert.Contains(logs.Warnings, line => line.Contains("could not be written", StringComparison.Ordinal));
        await using TestStore again = TestStore.Open(options);
        Assert.Equal(["good"], again.ReadBodies());
    }

    [Fact]
    public async Task AnnounceAppendedSoon_CannotBeWritten_IsTold()
    {
        await using TestStore store = TestStore.Open(TestStore.Options(Root), _files);
        _files.MayWrite = path => !path.Contains("commitlog", StringComparison.Ordinal);
        Assert.True(store.AppendAnnouncedLater("bad").IsOk);
        var told = new TaskCompletionSource<Exception?>();
        store.Store.AnnounceAppendedSoon(told.SetResult);
        Assert.IsType<Files.FlushFailedException>(await told.Task.WaitAsync(TimeSpan.FromSeconds(60)));
    }

    [Fact]
    public async Task WaitForFlush_SomebodyElsesWriteFails_IsTold()
    {
        await using TestStore store = TestStore.Open(SyncOptions, _files);
        _files.FlushGate.Reset();
        int flushes = _files.Flushes;
        store.Append("first");
        TestStore.WaitFor(() => _files.Flushes > flushes);
        Task<FlushStatus> waiting = store.Store.WaitForFlushAsync(store.AppendAnnouncedLater("bad").EndOffset).AsTask();
        _files.MayWrite = path => !path.Contains("commitlog", StringComparison.Ordinal);
        Assert.Equal(AppendStatus.ServiceNotAvailable, store.Append("other").Status);
        Assert.Equal(FlushStatus.Failed, await waiting);
        _files.FlushGate.Set();
    }

    [Fact]
    public async Task FlushAppended_CannotBeWritten_WaitersAreTold()
    {
        await using TestStore store = TestStore.Open(SyncOptions, _files);
        _files.MayWrite = path => !path.Contains("commitlog", StringComparison.Ordinal);
        AppendResult bad = store.AppendAnnouncedLater("bad");
        store.Store.FlushAppended();
        Assert.Equal(FlushStatus.Failed, await store.Store.WaitForFlushAsync(bad.EndOffset));
        Assert.False(store.Store.IsWritable);
    }

    [Fact]
    public async Task Append_TooManyFilesAreOpen_IsWrittenAllTheSame()
    {
        await using (TestStore store = TestStore.Open(TestStore.Options(Root), _files))
        {
            _files.MayOpen = path => !path.Contains("commitlog", StringComparison.Ordinal) || !File.Exists(path);
            Assert.True(store.Append("first").IsOk);
            _files.MayOpen = _ => true;
            Assert.True(store.Append("second").IsOk);
            store.WaitForDispatch();
            Assert.Equal(["first", "second"], store.ReadBodies());
        }

        await using TestStore again = TestStore.Open(TestStore.Options(Root));
        Assert.Equal(["first", "second"], again.ReadBodies());
    }

    [Fact]
    public async Task Append_ReachesIntoAnotherStretchOfTheFile_IsClearedFirstUnlessMuchIsWritten()
    {
        const int KiB = 1024;
        StoreOptions options = TestStore.Options(Root) with { CommitLogFileBytes = 1024 * KiB, MaxMessageBytes = 200 * KiB };
        await using TestStore store = TestStore.Open(options, _files);
        int writes = 0;
        _files.Written = path => writes += path.Contains("commitlog", StringComparison.Ordinal) ? 1 : 0;

        // The file's beginning; then within its first 256 KiB; then into the next, once with much and once with little.
        Assert.Equal(2, WritesOf(10 * KiB));
        Assert.Equal(1, WritesOf(100 * KiB));
        Assert.Equal(1, WritesOf(190 * KiB));
        Assert.Equal(1, WritesOf(100 * KiB));
        Assert.Equal(1, WritesOf(90 * KiB));
        Assert.Equal(2, WritesOf(90 * KiB));

        int WritesOf(int bodyBytes)
        {
            int before = writes;
            Assert.True(store.Append(TestStore.Body(bodyBytes, bodyBytes)).IsOk);
            return writes - before;
        }
    }

    [Fact]
    public async Task TakeCheckPoint_LetsGoOfQueueAndIndexAndNotOfTheLog()
    {
        await using TestStore store = TestStore.Open(TestStore.Options(Root) with { CheckPointIntervalMs = int.MaxValue }, _files);
        store.Append("x", properties: "UNIQ_KEY\u0001u\u0002");
        store.WaitForDispatch();
        var left = new ConcurrentBag<string>();
        _files.LeftGo = left.Add;
        Assert.True(store.Store.TakeCheckPoint());
        Assert.Contains(left, path => path.Contains("consumequeue", StringComparison.Ordinal));
        Assert.Contains(left, path => path.Contains("/index/", StringComparison.Ordinal));
        Assert.DoesNotContain(left, path => path.Contains("commitlog", StringComparison.Ordinal));
        Assert.Equal(["x"], store.ReadBodies());
    }

    [Fact]
    public async Task Append_FilesOfAnOddSizeAndNowAndThenTooManyOpen_EveryRecordStandsWhole()
    {
        const int KiB = 1024;
        const int Messages = 240;
        int[] sizes = [100, 5 * KiB, 60 * KiB, 190 * KiB];
        StoreOptions options = TestStore.Options(Root) with { CommitLogFileBytes = (3 * 256 * KiB) + 776, MaxMessageBytes = 200 * KiB };
        for (int i = 0; i < Messages;)
        {
            // Each start goes on where the one before has ended, in the middle of what may have been cleared.
            await using TestStore store = TestStore.Open(options, _files);
            do
            {
                // What is open stays so until the next file.
                bool mayOpen = i % 3 == 0;
                _files.MayOpen = path => mayOpen || !path.Contains("commitlog", StringComparison.Ordinal) || !File.Exists(path);
                Assert.True(store.Append(BodyOf(i)).IsOk);
            }
            while (++i % 20 != 0);
            _files.MayOpen = _ => true;
        }

        await using TestStore again = TestStore.Open(options);
        List<ReceivedMessage> messages = again.ReadAll();
        Assert.Equal(Messages, messages.Count);
        Assert.All(messages, (message, i) => Assert.True(message.Body.Span.SequenceEqual(BodyOf(i)), $"message {i}"));

        byte[] BodyOf(int i) => TestStore.Body(i, sizes[i * 7 % 11 % sizes.Length]);
    }

    [Fact]
    public async Task WaitForFlush_DiskHangs_TimesOut()
    {
        var time = new ManualTime();
        await using TestStore store = TestStore.Open(SyncOptions, _files, time);
        AppendResult first = store.Append("first");
        Assert.Equal(FlushStatus.Flushed, await store.Store.WaitForFlushAsync(first.EndOffset));
        store.WaitForDispatch();
        _files.FlushGate.Reset();
        store.Append("before");
        AppendResult result = store.AppendAnnouncedLater("slow");
        Task<FlushStatus> waiting = store.Store.WaitForFlushAsync(result.EndOffset).AsTask();
        time.Advance(TimeSpan.FromSeconds(4));
        Assert.False(waiting.IsCompleted);
        time.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal(FlushStatus.TimedOut, await waiting);

        // Who is told so takes the message for stored: it outlives the process.
        string log = Encoding.Latin1.GetString(FaultyFileSystem.ReadShared(Path.Combine(Root, "commitlog", $"{0:D20}")));
        Assert.Contains("slow", log, StringComparison.Ordinal);
        Assert.Equal(first.EndOffset, store.Store.FlushedOffset);
        Assert.Equal(first.EndOffset, store.Store.DispatchedOffset);

        _files.FlushGate.Set();
        Assert.Equal(FlushStatus.Flushed, await store.Store.WaitForFlushAsync(result.EndOffset));
        store.WaitForDispatch();
        Assert.Equal(["first", "before", "slow"], store.ReadBodies());
    }

    [Fact]
    public async Task WaitForFlush_ManyAppends_ShareFlushes()
    {
        await using TestStore store = TestStore.Open(SyncOptions, _files);
        await store.Store.WaitForFlushAsync(store.Append("first").EndOffset);
        int before = _files.Flushes;
        _files.FlushGate.Reset();
        store.Append("begins a flush");
        TestStore.WaitFor(() => _files.Flushes > before);
        var waiting = Enumerable.Range(0, 100)
            .Select(i => store.Store.WaitForFlushAsync(store.Append($"{i}").EndOffset).AsTask()).ToList();
        Assert.DoesNotContain(waiting, task => task.IsCompleted);
        _files.FlushGate.Set();
        Assert.All(await Task.WhenAll(waiting), status => Assert.Equal(FlushStatus.Flushed, status));
        Assert.InRange(_files.Flushes - before, 2, 6);
    }

    [Fact]
    public async Task AsyncFlush_Interval_FlushesEnoughPagesAndInTheEndEverything()
    {
        var time = new ManualTime();
        await using TestStore store = TestStore.Open(TestStore.Options(Root) with { CheckPointIntervalMs = int.MaxValue }, _files, time);
        store.Append("little");
        time.Advance(TimeSpan.FromMilliseconds(500));
        store.Append(TestStore.Body(1, 20_000));
        Assert.Equal(0, store.Store.FlushedOffset);
        TestStore.WaitFor(() =>
        {
            time.Advance(TimeSpan.FromMilliseconds(500));
            return store.Store.FlushedOffset == store.Store.MaxPhysicalOffset;
        });

        store.Append("little");
        TestStore.WaitFor(() =>
        {
            time.Advance(TimeSpan.FromSeconds(5));
            return store.Store.FlushedOffset == store.Store.MaxPhysicalOffset;
        });
    }

    [Theory]
    [MemberData(nameof(Seeds))]
    public async Task PowerFailure_SyncFlush_LosesNothingAcknowledged(int seed)
    {
        var acknowledged = new ConcurrentDictionary<(int QueueId, long QueueOffset), string>();
        int appended = 0;
        await using (TestStore store = TestStore.Open(SyncOptions with { CheckPointIntervalMs = 20 }, _files))
        {
            await Parallel.ForEachAsync(Enumerable.Range(0, 4), async (worker, _) =>
            {
                var random = new Random((seed * 100) + worker);
                for (int i = 0; i < 60; i++)
                {
                    string body = $"{worker}-{i}-" + new string((char)('a' + worker), random.Next(2_000));
                    AppendResult result = store.Append(body, queueId: worker % 3, properties: $"UNIQ_KEY\u0001{worker}-{i}\u0002");
                    Interlocked.Increment(ref appended);
                    Assert.True(result.IsOk);
                    if (await store.Store.WaitForFlushAsync(result.EndOffset) == FlushStatus.Flushed)
                    {
                        acknowledged[(worker % 3, result.QueueOffset)] = body;
                    }
                }
            });

            // The power is about to fail: these are not acknowledged any more.
            _files.FreezeDurability();
            for (int i = 0; i < 30; i++)
            {
                store.Append($"late {i} " + new string('z', 700), queueId: i % 3);
            }

            _files.LosePower(Root, _folder["after"], seed);
            _files.RestorePower();
        }

        Assert.Equal(240, acknowledged.Count);
        AssertHolds(_folder["after"], acknowledged);

        // And once more, over what the first recovery left.
        await AssertHoldsAsync(_folder["after"], acknowledged);
    }

    [Theory]
    [MemberData(nameof(Seeds))]
    public async Task PowerFailure_AfterACheckPoint_TheIndexStillFindsEverythingBeforeIt(int seed)
    {
        await using (TestStore store = TestStore.Open(TestStore.Options(Root) with { CheckPointIntervalMs = int.MaxValue }, _files))
        {
            for (int i = 0; i < 400; i++)
            {
                store.Append($"{i}", properties: $"UNIQ_KEY\u0001u{i}\u0002");
                if (i == 200)
                {
                    store.WaitForDispatch();
                    Assert.True(store.Store.TakeCheckPoint());
                }
            }

            store.WaitForDispatch();
            _files.FreezeDurability();
            _files.LosePower(Root, _folder["after"], seed);
            _files.RestorePower();
        }

        await using TestStore after = TestStore.Open(TestStore.Options(_folder["after"]));
        foreach (ReceivedMessage message in after.ReadAll())
        {
            Assert.Equal(
                [message.PhysicalOffset],
                after.Store.QueryByKey(TestStore.Topic, message.MessageId, 10, 0, long.MaxValue).PhysicalOffsets);
        }
    }

    [Theory]
    [MemberData(nameof(Seeds))]
    public async Task PowerFailure_AsyncFlush_KeepsWhatWasFlushedAndNothingCorrupt(int seed)
    {
        var bodies = new List<string>();
        int flushed;
        await using (TestStore store = TestStore.Open(TestStore.Options(Root) with { FlushIntervalMs = int.MaxValue / 2, CheckPointIntervalMs = int.MaxValue }, _files))
        {
            for (int i = 0; i < 200; i++)
            {
                bodies.Add($"{i} " + new string('x', (i * 37 % 900) + 1));
                Assert.True(store.Append(bodies[i], properties: $"UNIQ_KEY\u0001u{i}\u0002").IsOk);
                if (i == 120)
                {
                    store.WaitForDispatch();
                    Assert.True(store.Store.TakeCheckPoint());
                }
            }

            flushed = 121;
            store.WaitForDispatch();
            _files.FreezeDurability();
            _files.LosePower(Root, _folder["after"], seed);
            _files.RestorePower();
        }

        await using TestStore after = TestStore.Open(TestStore.Options(_folder["after"]));
        List<ReceivedMessage> messages = after.ReadAll();
        Assert.True(messages.Count >= flushed);
        foreach (ReceivedMessage message in messages)
        {
            Assert.Equal(bodies[(int)message.QueueOffset], Encoding.UTF8.GetString(message.Body.Span));
        }

        Assert.Equal(Enumerable.Range(0, flushed).Select(i => (long)i), messages.Take(flushed).Select(message => message.QueueOffset));
        long next = after.Append("next", properties: "UNIQ_KEY\u0001next\u0002").QueueOffset;
        Assert.True(next > messages[^1].QueueOffset);
        after.WaitForDispatch();
        Assert.Single(after.Store.QueryByKey(TestStore.Topic, "next", 1, 0, long.MaxValue).PhysicalOffsets);
    }

    public static TheoryData<int> Seeds() => [.. Enumerable.Range(1, 25)];

    private static void AssertHolds(string root, IReadOnlyDictionary<(int QueueId, long QueueOffset), string> acknowledged) =>
        AssertHoldsAsync(root, acknowledged).AsTask().GetAwaiter().GetResult();

    private static async ValueTask AssertHoldsAsync(
        string root, IReadOnlyDictionary<(int QueueId, long QueueOffset), string> acknowledged)
    {
        await using TestStore store = TestStore.Open(
            TestStore.Options(root) with { FlushDiskType = FlushDiskType.SyncFlush });
        for (int queueId = 0; queueId < 3; queueId++)
        {
            var messages = store.ReadAll(queueId: queueId).ToDictionary(message => message.QueueOffset);
            foreach (((int QueueId, long QueueOffset) place, string body) in acknowledged.Where(pair => pair.Key.QueueId == queueId))
            {
                Assert.True(messages.TryGetValue(place.QueueOffset, out ReceivedMessage? message), $"{place} is missing");
                Assert.Equal(body, Encoding.UTF8.GetString(message.Body.Span));
                Assert.Contains(
                    message.PhysicalOffset,
                    store.Store.QueryByKey(TestStore.Topic, message.MessageId, 10, 0, long.MaxValue).PhysicalOffsets);
            }

            Assert.True(store.Store.NextQueueOffset(store.Store.GetQueue(TestStore.Topic, queueId)) > acknowledged.Keys.Where(key => key.QueueId == queueId).Max(key => key.QueueOffset));
        }
    }

    // The first piece of the body is there, the second one comes when it is released.
    private static AppendResult AppendFrom(TestStore store, HeldMemory second)
    {
        var first = new Piece(new byte[100]);
        var body = new ReadOnlySequence<byte>(first, 0, first.Append(second.Memory), second.Memory.Length);
        LogicQueue queue = store.Store.GetQueue(TestStore.Topic, 0);
        return store.Store.Append(
            queue, new MessageAppend { Body = body, BornHost = TestStore.Host, StoreHost = TestStore.Host, IsAnnouncedLater = true });
    }

    private sealed class Piece : ReadOnlySequenceSegment<byte>
    {
        public Piece(ReadOnlyMemory<byte> memory) => Memory = memory;

        public Piece Append(ReadOnlyMemory<byte> memory)
        {
            var next = new Piece(memory) { RunningIndex = RunningIndex + Memory.Length };
            Next = next;
            return next;
        }
    }

    // Memory whose bytes come late, or are gone.
    private sealed class HeldMemory : MemoryManager<byte>
    {
        private readonly ManualResetEventSlim _released = new();
        private volatile bool _asked;
        private byte[]? _bytes;

        public override Memory<byte> Memory => CreateMemory(100);

        public bool IsAsked => _asked;

        public void Release(byte[]? bytes)
        {
            _bytes = bytes;
            _released.Set();
        }

        public override Span<byte> GetSpan()
        {
            _asked = true;
            _released.Wait();
            return _bytes ?? throw new ObjectDisposedException(nameof(HeldMemory));
        }

        public override MemoryHandle Pin(int elementIndex = 0) => throw new NotSupportedException();

        public override void Unpin()
        {
        }

        protected override void Dispose(bool disposing) => _released.Dispose();
    }
}
