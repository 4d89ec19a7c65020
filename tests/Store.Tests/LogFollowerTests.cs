using System.Text;
using GrayMQ.Protocol.Messages;
using GrayMQ.Store.Appending;
using GrayMQ.Store.Dispatching;
using GrayMQ.Store.Tests.Support;

namespace GrayMQ.Store.Tests;

/// <summary>What followers of the log are shown: everything they want, in order, once, whatever has happened.</summary>
public sealed class LogFollowerTests : IDisposable
{
    private const string Followed = "Followed";

    private readonly TempFolder _folder = new(inMemory: true);

    public void Dispose() => _folder.Dispose();

    private string Source => _folder["source"];

    // Every third message is of the followed topic, every seventh of the others points at another record.
    private static bool IsWanted(int i) => i % 3 == 0 || i % 7 == 0;

    private static AppendResult Append(TestStore store, int i) => store.Append(
        TestStore.Body(i, 200),
        i % 3 == 0 ? Followed : TestStore.Topic,
        preparedOffset: i % 3 != 0 && i % 7 == 0 ? ~(long)i : 0);

    private async Task<(string Killed, List<AppendResult> Appended)> KillAsync(int count, int checkPointAfter)
    {
        var appended = new List<AppendResult>();
        await using TestStore store = TestStore.Open(
            TestStore.Options(Source) with { CheckPointIntervalMs = int.MaxValue }, followers: [new Recorder()]);
        for (int i = 0; i < count; i++)
        {
            if (i == checkPointAfter)
            {
                store.WaitForDispatch();
                Assert.True(store.Store.TakeCheckPoint());
            }

            appended.Add(Append(store, i));
            Assert.True(appended[i].IsOk);
        }

        store.WaitForDispatch();
        return (Folders.Copy(Source, _folder["killed"]), appended);
    }

    private static List<long> Wanted(List<AppendResult> appended, int from = 0) =>
        [.. Enumerable.Range(0, appended.Count).Where(i => i >= from && IsWanted(i)).Select(i => appended[i].PhysicalOffset)];

    [Fact]
    public async Task Dispatch_ShowsFollowedTopicsAndRecordsThatPointAtOthers()
    {
        var all = new Recorder();
        var none = new Recorder { Topic = "Other" };
        var appended = new List<AppendResult>();
        await using TestStore store = TestStore.Open(TestStore.Options(Source), followers: [all, none]);
        for (int i = 0; i < 300; i++)
        {
            appended.Add(Append(store, i));
        }

        store.WaitForDispatch();
        Assert.Equal(Wanted(appended), all.Shown);
        Assert.Equal(
            Enumerable.Range(0, 300).Where(i => i % 3 != 0 && i % 7 == 0).Select(i => appended[i].PhysicalOffset), none.Shown);
    }

    [Theory]
    [InlineData(-1, 0)]
    [InlineData(-1, 250)]
    [InlineData(300, 0)]
    [InlineData(300, 299)]
    [InlineData(300, 300)]
    [InlineData(300, 550)]
    [InlineData(599, 1)]
    [InlineData(-1, 600)]
    public async Task Open_AfterKill_ShowsWhatTheFollowerDoesNotKnow(int checkPointAfter, int appliedUpTo)
    {
        (string killed, List<AppendResult> appended) = await KillAsync(600, checkPointAfter);
        var late = new Recorder { AppliedOffset = appliedUpTo == 600 ? appended[^1].EndOffset : appended[appliedUpTo].PhysicalOffset };
        var without = new Recorder();
        await using TestStore store = TestStore.Open(TestStore.Options(killed), followers: [late, without], start: false);
        Assert.Equal(Wanted(appended, appliedUpTo), late.Shown);
        Assert.Equal(Wanted(appended), without.Shown);
    }

    [Fact]
    public async Task Open_AfterCleanStop_ShowsNothingAgain()
    {
        var follower = new Recorder();
        await using (TestStore store = TestStore.Open(TestStore.Options(Source), followers: [follower]))
        {
            for (int i = 0; i < 100; i++)
            {
                Append(store, i);
            }
        }

        // The last check point has told how far everything is.
        Assert.True(follower.CheckPoint > 0);
        var again = new Recorder { AppliedOffset = follower.CheckPoint };
        await using TestStore reopened = TestStore.Open(TestStore.Options(Source), followers: [again]);
        Assert.Equal(follower.CheckPoint, reopened.Store.MaxPhysicalOffset);
        Assert.Empty(again.Shown);
        AppendResult next = Append(reopened, 0);
        reopened.WaitForDispatch();
        Assert.Equal([next.PhysicalOffset], again.Shown);
    }

    [Fact]
    public async Task Open_QueuesRebuilt_ShowsNothingTwice()
    {
        (string killed, List<AppendResult> appended) = await KillAsync(300, 200);
        Directory.Delete(Path.Combine(killed, "consumequeue", Followed), recursive: true);
        var follower = new Recorder();
        await using TestStore store = TestStore.Open(TestStore.Options(killed), followers: [follower]);
        Assert.Equal(Wanted(appended), follower.Shown);
    }

    [Theory]
    [InlineData(30)]
    [InlineData(450)]
    public async Task Open_DamagedLog_ShowsWhatIsWhole(int damaged)
    {
        (string killed, List<AppendResult> appended) = await KillAsync(600, 300);
        AppendResult record = appended[damaged];
        int fileBytes = TestStore.Options(killed).CommitLogFileBytes;
        string path = Path.Combine(killed, "commitlog", $"{record.PhysicalOffset / fileBytes * fileBytes:D20}");
        using (FileStream file = File.OpenWrite(path))
        {
            file.Position = record.PhysicalOffset % fileBytes;
            file.Write(new byte[record.Bytes]);
        }

        var follower = new Recorder();
        await using TestStore store = TestStore.Open(TestStore.Options(killed), followers: [follower]);
        Assert.Equal(Wanted(appended).Where(offset => offset != record.PhysicalOffset), follower.Shown);
    }

    [Fact]
    public async Task Open_LogEndsBeforeTheFollower_FollowerGoesBackAndGoesOn()
    {
        (string killed, List<AppendResult> appended) = await KillAsync(100, -1);
        long end = appended[^1].EndOffset;
        var logs = new LogRecorder();
        var ahead = new Recorder { AppliedOffset = end + 10_000 };
        await using TestStore store = TestStore.Open(TestStore.Options(killed), logs: logs, followers: [ahead]);
        Assert.Equal(end, ahead.AppliedOffset);
        Assert.Empty(ahead.Shown);
        Assert.Contains(logs.Warnings, line => line.Contains(ahead.Name, StringComparison.Ordinal));
        AppendResult next = Append(store, 0);
        store.WaitForDispatch();
        Assert.Equal([next.PhysicalOffset], ahead.Shown);
    }

    [Fact]
    public async Task Open_LogIsGone_FollowerGoesBackToTheBeginning()
    {
        var ahead = new Recorder { AppliedOffset = 10_000 };
        await using TestStore store = TestStore.Open(TestStore.Options(Source), followers: [ahead]);
        Assert.Equal(0, ahead.AppliedOffset);
        AppendResult next = Append(store, 0);
        store.WaitForDispatch();
        Assert.Equal([next.PhysicalOffset], ahead.Shown);
    }

    [Fact]
    public async Task Dispatch_FollowerFails_ShowsTheRecordAgainAndOthersOnce()
    {
        var time = new ManualTime();
        var first = new Recorder();
        var failing = new Recorder { Fails = true };
        await using TestStore store = TestStore.Open(TestStore.Options(Source), time: time, followers: [first, failing]);
        var appended = new List<AppendResult>();
        for (int i = 0; i < 10; i++)
        {
            appended.Add(Append(store, i));
        }

        TestStore.WaitFor(() => failing.Failures > 0);
        Assert.Equal(0, store.Store.DispatchedOffset);
        failing.Fails = false;
        TestStore.WaitFor(() =>
        {
            time.Advance(TimeSpan.FromSeconds(1));
            return store.Store.DispatchedOffset == store.Store.MaxPhysicalOffset;
        });
        Assert.Equal(Wanted(appended), first.Shown);
        Assert.Equal(Wanted(appended), failing.Shown);
        Assert.Equal(4, store.ReadAll(Followed).Count);
    }

    [Fact]
    public async Task Open_FollowerFails_TheStoreOpensAndTheDispatcherGoesOn()
    {
        (string killed, List<AppendResult> appended) = await KillAsync(50, -1);
        var time = new ManualTime();
        var failing = new Recorder { Fails = true };
        await using TestStore store = TestStore.Open(TestStore.Options(killed), time: time, followers: [failing]);
        failing.Fails = false;
        TestStore.WaitFor(() =>
        {
            time.Advance(TimeSpan.FromSeconds(1));
            return store.Store.DispatchedOffset == store.Store.MaxPhysicalOffset;
        });
        Assert.Equal(Wanted(appended), failing.Shown);
    }

    // Queues that are rebuilt are of records which the follower has not come to, or has come to long ago.
    [Fact]
    public async Task Open_FollowerFailsWhileAQueueIsRebuilt_EverythingIsShownInOrder()
    {
        (string killed, List<AppendResult> appended) = await KillAsync(600, 300);
        string file = Directory.GetFiles(Path.Combine(killed, "consumequeue", Followed, "0")).Order().First();
        File.WriteAllBytes(file, File.ReadAllBytes(file)[..100]);
        var time = new ManualTime();
        var failing = new Recorder { AppliedOffset = appended[300].PhysicalOffset, FailsOnce = true };
        await using TestStore store = TestStore.Open(TestStore.Options(killed), time: time, followers: [failing], start: false);
        Assert.False(store.Store.IsCaughtUp);
        Assert.Empty(failing.Shown);
        Assert.Equal(appended[^1].EndOffset, store.Store.OpenedAtOffset);

        store.Store.Start();

        TestStore.WaitFor(() => store.Store.IsCaughtUp);
        Assert.Equal(Wanted(appended, 300), failing.Shown);
        Assert.Equal(200, store.ReadAll(Followed).Count);
    }

    private sealed class Recorder : ILogFollower
    {
        private readonly Lock _lock = new();
        private readonly List<long> _shown = [];
        private byte[] _topic = Encoding.UTF8.GetBytes(Followed);
        private volatile bool _fails;
        private int _failures;

        public string Name => "recorders";

        public string Topic
        {
            init => _topic = Encoding.UTF8.GetBytes(value);
        }

        public long AppliedOffset { get; set; } = -1;

        public long CheckPoint { get; private set; } = -1;

        public int Failures => Volatile.Read(ref _failures);

        public bool FailsOnce { get; set; }

        public bool Fails
        {
            get => _fails;
            set => _fails = value;
        }

        public List<long> Shown
        {
            get
            {
                lock (_lock)
                {
                    return [.. _shown];
                }
            }
        }

        public bool Follows(ReadOnlySpan<byte> topic) => topic.SequenceEqual(_topic);

        public void OnRecord(in StoredMessage message)
        {
            if (Fails || FailsOnce)
            {
                FailsOnce = false;
                Interlocked.Increment(ref _failures);
                throw new IOException("No space left on device");
            }

            lock (_lock)
            {
                _shown.Add(message.PhysicalOffset);
            }
        }

        public void OnCheckPoint(long offset) => CheckPoint = offset;

        public void OnLogCut(long logEnd) => AppliedOffset = logEnd;
    }
}
