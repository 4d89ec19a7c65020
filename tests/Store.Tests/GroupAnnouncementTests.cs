using GrayMQ.Store.Flushing;
using GrayMQ.Store.Tests.Support;

namespace GrayMQ.Store.Tests;

public sealed class GroupAnnouncementTests : IDisposable
{
    private readonly ManualResetEventSlim _mayAnnounce = new();
    private readonly List<Exception?> _told = [];
    private int _announcements;
    private int _followed;
    private Exception? _failure;

    public void Dispose() => _mayAnnounce.Dispose();

    [Fact]
    public void Add_WhileOneIsUnderWay_AllShareTheNext()
    {
        var group = new GroupAnnouncement(Announce, () => Interlocked.Increment(ref _followed));
        group.Add(Tell);
        TestStore.WaitFor(() => Volatile.Read(ref _announcements) == 1);
        for (int i = 0; i < 3; i++)
        {
            group.Add(Tell);
        }

        Assert.Equal(0, Told);
        _mayAnnounce.Set();
        TestStore.WaitFor(() => Told == 4);
        Assert.Equal(2, _announcements);
    }

    [Fact]
    public void Add_HereAndNobodyIsAtIt_IsWrittenAndToldBeforeItReturns()
    {
        int thread = 0;
        var group = new GroupAnnouncement(() => thread = Environment.CurrentManagedThreadId, () => _followed++);
        group.Add(Tell, here: true);
        Assert.Equal((Environment.CurrentManagedThreadId, 1, 1), (thread, _followed, Told));
    }

    [Fact]
    public void Add_HereWhileOneIsUnderWay_SharesTheNextWithOthers()
    {
        var group = new GroupAnnouncement(Announce, () => Interlocked.Increment(ref _followed));
        group.Add(Tell);
        TestStore.WaitFor(() => Volatile.Read(ref _announcements) == 1);
        group.Add(Tell, here: true);
        group.Add(Tell);
        Assert.Equal(0, Told);
        _mayAnnounce.Set();
        TestStore.WaitFor(() => Told == 3);
        Assert.Equal(2, _announcements);
    }

    [Fact]
    public void Add_HereWhileOthersComeToo_TheyAreWrittenByThePool()
    {
        var threads = new List<int>();
        GroupAnnouncement? group = null;
        group = new GroupAnnouncement(
            () =>
            {
                threads.Add(Environment.CurrentManagedThreadId);
                if (threads.Count == 1)
                {
                    group!.Add(Tell);
                }
            },
            () => { });
        group.Add(Tell, here: true);
        TestStore.WaitFor(() => Told == 2);
        Assert.Equal(2, threads.Count);
        Assert.Equal(Environment.CurrentManagedThreadId, threads[0]);
        Assert.NotEqual(Environment.CurrentManagedThreadId, threads[1]);
    }

    [Fact]
    public void Add_WhatIsSharedFails_WhoSharedItIsToldAndNobodyElse()
    {
        var group = new GroupAnnouncement(Announce, () => Interlocked.Increment(ref _followed));
        var failure = new IOException("the disk is gone");
        _failure = failure;
        group.Add(Tell);
        TestStore.WaitFor(() => Volatile.Read(ref _announcements) == 1);
        group.Add(Tell);
        _mayAnnounce.Set();
        TestStore.WaitFor(() => Told == 2);
        group.Add(Tell);
        TestStore.WaitFor(() => Told == 3);
        Assert.Equal([failure, null, null], _told);
        Assert.Equal(2, _followed);
    }

    [Fact]
    public void Add_WhatFollowsTakesLong_TheNextAreWrittenAndToldMeanwhile()
    {
        using var mayFollow = new ManualResetEventSlim();
        int follows = 0;
        var group = new GroupAnnouncement(Announce, () =>
        {
            if (Interlocked.Increment(ref follows) == 1)
            {
                mayFollow.Wait();
            }
        });
        _mayAnnounce.Set();
        group.Add(Tell);
        TestStore.WaitFor(() => Volatile.Read(ref follows) == 1);
        group.Add(Tell);
        TestStore.WaitFor(() => Told == 1);
        mayFollow.Set();
        TestStore.WaitFor(() => Told == 2);
    }

    [Fact]
    public void Add_WhatFollowsFails_IsToldAll()
    {
        var failure = new ObjectDisposedException("the dispatcher");
        var group = new GroupAnnouncement(() => { }, () => throw failure);
        group.Add(Tell);
        TestStore.WaitFor(() => Told == 1);
        Assert.Equal([failure], _told);
    }

    [Fact]
    public void Add_FromManyThreads_EachIsToldOnce()
    {
        const int Threads = 4;
        const int Times = 5_000;
        int appended = 0;
        int announced = 0;
        int early = 0;
        int told = 0;
        int inside = 0;
        int together = 0;
        var group = new GroupAnnouncement(
            () =>
            {
                together += Interlocked.Increment(ref inside) - 1;
                Volatile.Write(ref announced, Volatile.Read(ref appended));
                Interlocked.Decrement(ref inside);
            },
            () => { });
        Parallel.For(0, Threads, _ =>
        {
            for (int i = 0; i < Times; i++)
            {
                int mine = Interlocked.Increment(ref appended);
                bool here = i % 3 == 0;
                group.Add(_ =>
                {
                    if (Volatile.Read(ref announced) < mine)
                    {
                        Interlocked.Increment(ref early);
                    }

                    Interlocked.Increment(ref told);
                }, here);
            }
        });
        TestStore.WaitFor(() => Volatile.Read(ref told) == Threads * Times);
        Assert.Equal((0, 0), (early, together));
    }

    private int Told
    {
        get
        {
            lock (_told)
            {
                return _told.Count;
            }
        }
    }

    private void Announce()
    {
        Interlocked.Increment(ref _announcements);
        _mayAnnounce.Wait();
        if (Interlocked.Exchange(ref _failure, null) is { } failure)
        {
            throw failure;
        }
    }

    private void Tell(Exception? failure)
    {
        lock (_told)
        {
            _told.Add(failure);
        }
    }
}
