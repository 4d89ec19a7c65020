using GrayMQ.Broker.Metadata;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Commands;
using GrayMQ.Remoting.Dispatch;

namespace GrayMQ.Broker.Offsets;

public sealed class ConsumerOffsetTableTests : IDisposable
{
    private readonly BrokerDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public void Commit_SomeQueues_AreFoundByNameAndBytes()
    {
        ConsumerOffsetTable offsets = _directory.OpenOffsets();

        Assert.Equal(CommitOutcome.Committed, offsets.Commit("g"u8, "t"u8, 3, 7));
        Assert.Equal(CommitOutcome.Committed, offsets.Commit("g", "t", 40, 8));

        Assert.Equal(7, offsets.Find("g"u8, "t"u8, 3));
        Assert.Equal(8, offsets.Find("g"u8, "t"u8, 40));
        Assert.Equal(8, offsets.Find("g", "t", 40));
        Assert.Equal(ConsumerOffsetTable.None, offsets.Find("g"u8, "t"u8, 4));
        Assert.Equal(ConsumerOffsetTable.None, offsets.Find("g"u8, "t"u8, 1000));
        Assert.Equal(ConsumerOffsetTable.None, offsets.Find("t"u8, "g"u8, 3));
        Assert.Equal(ConsumerOffsetTable.None, offsets.Find("g", "other", 3));
        Assert.Equal(new Dictionary<int, long> { [3] = 7, [40] = 8 }, offsets.FindAll("g", "t"));
    }

    [Fact]
    public void Commit_Lower_IsTakenOver()
    {
        ConsumerOffsetTable offsets = _directory.OpenOffsets();
        offsets.Commit("g"u8, "t"u8, 0, 7);

        Assert.Equal(CommitOutcome.Committed, offsets.Commit("g"u8, "t"u8, 0, 5));
        Assert.Equal(5, offsets.Find("g"u8, "t"u8, 0));
    }

    [Fact]
    public void Commit_NegativeOffset_IsIgnored()
    {
        ConsumerOffsetTable offsets = _directory.OpenOffsets();

        Assert.Equal(CommitOutcome.Ignored, offsets.Commit("g"u8, "t"u8, 0, -1));
        Assert.Empty(offsets.FindAll("g", "t"));
        Assert.Empty(offsets.TopicsOf("g"));
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(OffsetOptions.MaxQueues)]
    [InlineData(int.MaxValue)]
    public void Commit_QueueThatCannotBe_IsRefused(int queueId)
    {
        ConsumerOffsetTable offsets = _directory.OpenOffsets();

        Assert.Equal(
            ResponseCode.InvalidParameter, Assert.Throws<RemotingException>(() => offsets.Commit("g"u8, "t"u8, queueId, 1)).Code);
        Assert.Equal(ConsumerOffsetTable.None, offsets.Find("g"u8, "t"u8, queueId));
    }

    [Fact]
    public void Commit_ProcessEndsAfterTheInterval_NothingIsLost()
    {
        ConsumerOffsetTable offsets = _directory.OpenOffsets();
        offsets.Commit("g"u8, "t"u8, 0, 7);
        offsets.Commit("g2"u8, "t"u8, 1, 8);
        _directory.Time.Advance(TimeSpan.FromMilliseconds(_directory.OffsetOptions.WriteIntervalMs));
        offsets.Commit("g"u8, "t"u8, 0, 9);
        _directory.Time.Advance(TimeSpan.FromMilliseconds(_directory.OffsetOptions.WriteIntervalMs));

        _directory.Close(cleanly: false);

        offsets = _directory.OpenOffsets();
        Assert.Equal(9, offsets.Find("g"u8, "t"u8, 0));
        Assert.Equal(8, offsets.Find("g2"u8, "t"u8, 1));
    }

    [Fact]
    public void Write_ProcessEndsRightAfter_NothingIsLost()
    {
        ConsumerOffsetTable offsets = _directory.OpenOffsets();
        offsets.Commit("g"u8, "t"u8, 0, 7);
        offsets.Write("g"u8, "t"u8);
        offsets.Commit("g"u8, "t"u8, 0, 8);

        _directory.Close(cleanly: false);

        Assert.Equal(7, _directory.OpenOffsets().Find("g"u8, "t"u8, 0));
    }

    [Fact]
    public void Dispose_RightAfterACommit_KeepsIt()
    {
        _directory.OpenOffsets().Commit("g"u8, "t"u8, 0, 7);

        _directory.Close();

        Assert.Equal(7, _directory.OpenOffsets().Find("g"u8, "t"u8, 0));
    }

    [Fact]
    public void Commit_OftenEnough_GrowsTheVersion()
    {
        _directory.OffsetOptions = new OffsetOptions { ConsumerOffsetUpdateVersionStep = 3 };
        ConsumerOffsetTable offsets = _directory.OpenOffsets();
        DataVersion before = offsets.Version;

        for (int i = 0; i < 7; i++)
        {
            offsets.Commit("g"u8, "t"u8, 0, i);
        }

        Assert.Equal(before.Counter + 2, offsets.Version.Counter);
        DataVersion version = offsets.Version;
        _directory.Close();
        Assert.Equal(version, _directory.OpenOffsets().Version);
    }

    [Fact]
    public async Task Commit_ManyThreadsWhileWriting_EndsWithTheLastOfEach()
    {
        const int Threads = 4;
        const int Commits = 20_000;
        ConsumerOffsetTable offsets = _directory.OpenOffsets();
        using var stop = new CancellationTokenSource();
        Task writing = Task.Run(() =>
        {
            while (!stop.IsCancellationRequested)
            {
                offsets.Write();
            }
        });

        await Task.WhenAll(Enumerable.Range(0, Threads).Select(thread => Task.Run(() =>
        {
            for (int i = 1; i <= Commits; i++)
            {
                offsets.Commit("g"u8, "t"u8, (thread * 100) + (i % 100), i);
            }
        })));
        await stop.CancelAsync();
        await writing;
        offsets.Write();
        _directory.Close(cleanly: false);

        offsets = _directory.OpenOffsets();
        for (int queueId = 0; queueId < Threads * 100; queueId++)
        {
            int last = queueId % 100 == 0 ? Commits : Commits - 100 + (queueId % 100);
            Assert.Equal(last, offsets.Find("g"u8, "t"u8, queueId));
        }
    }

    [Fact]
    public void Reset_ConsumerStillCommits_HearsOfItFirst()
    {
        ConsumerOffsetTable offsets = _directory.OpenOffsets();
        offsets.Commit("g"u8, "t"u8, 0, 100);
        offsets.Commit("g"u8, "t"u8, 1, 100);

        offsets.Reset("g", "t", new Dictionary<int, long> { [0] = 10 });

        Assert.Equal(CommitOutcome.ResetPending, offsets.Commit("g"u8, "t"u8, 0, 101));
        Assert.Equal(CommitOutcome.Committed, offsets.Commit("g"u8, "t"u8, 1, 101));
        Assert.Equal(10, offsets.Find("g"u8, "t"u8, 0));
        Assert.Null(offsets.TakeReset("g"u8, "t"u8, 1));
        Assert.Equal(10, offsets.TakeReset("g"u8, "t"u8, 0));
        Assert.Null(offsets.TakeReset("g"u8, "t"u8, 0));
        Assert.Equal(CommitOutcome.Committed, offsets.Commit("g"u8, "t"u8, 0, 11));
        Assert.Equal(11, offsets.Find("g"u8, "t"u8, 0));
    }

    [Fact]
    public void Reset_ProcessEndsRightAfter_HoldsAfterTheRestart()
    {
        ConsumerOffsetTable offsets = _directory.OpenOffsets();
        offsets.Commit("g"u8, "t"u8, 0, 100);
        offsets.Reset("g", "t", new Dictionary<int, long> { [0] = 10 });

        _directory.Close(cleanly: false);

        Assert.Equal(10, _directory.OpenOffsets().Find("g"u8, "t"u8, 0));
    }

    [Fact]
    public void Reset_NotKeptForThePull_IsCommittedOnly()
    {
        _directory.OffsetOptions = new OffsetOptions { UseServerSideResetOffset = false };
        ConsumerOffsetTable offsets = _directory.OpenOffsets();

        offsets.Reset("g", "t", new Dictionary<int, long> { [0] = 10 });

        Assert.Null(offsets.TakeReset("g"u8, "t"u8, 0));
        Assert.Equal(10, offsets.Find("g", "t", 0));
    }

    [Fact]
    public void RemoveTopicAndGroup_AreGoneAlsoAfterARestart()
    {
        ConsumerOffsetTable offsets = _directory.OpenOffsets();
        offsets.Commit("g1", "t1", 0, 1);
        offsets.Commit("g1", "t2", 0, 2);
        offsets.Commit("g2", "t1", 0, 3);
        offsets.Commit("g2", "t2", 0, 4);
        offsets.Commit("g2@broadcast", "t2", 0, 5);
        offsets.Reset("g1", "t1", new Dictionary<int, long> { [0] = 0 });
        offsets.Write();

        offsets.RemoveTopic("t1");
        offsets.RemoveGroup("g2");

        Assert.Equal(["g1"], offsets.GroupsOf("t2"));
        Assert.Empty(offsets.GroupsOf("t1"));
        Assert.Null(offsets.TakeReset("g1"u8, "t1"u8, 0));
        _directory.Close(cleanly: false);
        offsets = _directory.OpenOffsets();
        Assert.Equal(["t2"], offsets.TopicsOf("g1"));
        Assert.Empty(offsets.TopicsOf("g2"));
        Assert.Equal(["t2@g1"], offsets.ToWrapper().OffsetTable.Keys);
    }

    [Fact]
    public void RemoveTopic_CommitWasNotWrittenYet_DoesNotComeBack()
    {
        ConsumerOffsetTable offsets = _directory.OpenOffsets();
        offsets.Commit("g"u8, "t"u8, 0, 7);

        offsets.RemoveTopic("t");
        _directory.Time.Advance(TimeSpan.FromSeconds(10));
        offsets.Commit("g"u8, "t"u8, 1, 1);
        _directory.Close();

        Assert.Equal(new Dictionary<int, long> { [1] = 1 }, _directory.OpenOffsets().FindAll("g", "t"));
    }

    [Fact]
    public void Clone_Group_ReplacesTheOthersOffsets()
    {
        ConsumerOffsetTable offsets = _directory.OpenOffsets();
        offsets.Commit("from", "t", 0, 1);
        offsets.Commit("from", "t", 2, 3);
        offsets.Commit("to", "t", 1, 99);

        Assert.True(offsets.Clone("from", "to", "t"));
        Assert.False(offsets.Clone("from", "to", "other"));

        _directory.Close(cleanly: false);
        Assert.Equal(new Dictionary<int, long> { [0] = 1, [2] = 3 }, _directory.OpenOffsets().FindAll("to", "t"));
    }

    [Fact]
    public void RecordPull_IsInMemoryOnly()
    {
        ConsumerOffsetTable offsets = _directory.OpenOffsets();
        offsets.RecordPull("g"u8, "t"u8, 0, 12);
        Assert.Equal(12, offsets.FindPulled("g", "t", 0));
        Assert.Empty(offsets.TopicsOf("g"));

        offsets.Commit("g"u8, "t"u8, 1, 5);
        Assert.Equal(5, offsets.FindPulled("g", "t", 1));
        Assert.Equal(ConsumerOffsetTable.None, offsets.FindPulled("g", "t", 2));
        Assert.Equal(ConsumerOffsetTable.None, offsets.Find("g", "t", 0));
    }

    [Fact]
    public void CommitFindAndTakeReset_ByBytes_AllocateNothing()
    {
        ConsumerOffsetTable offsets = _directory.OpenOffsets();
        offsets.Reset("other", "t", new Dictionary<int, long> { [0] = 10 });
        offsets.Commit("g"u8, "t"u8, 7, 1);
        offsets.RecordPull("g"u8, "t"u8, 7, 1);
        offsets.Write();
        offsets.TakeReset("g"u8, "t"u8, 7);
        long sum = offsets.Find("g"u8, "t"u8, 7);

        // The first commit after a write enlists; those that follow until the next write find it so.
        offsets.Commit("g"u8, "t"u8, 7, 2);
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 3; i < 1000; i++)
        {
            offsets.Commit("g"u8, "t"u8, 7, i);
            offsets.RecordPull("g"u8, "t"u8, 7, i);
            sum += offsets.TakeReset("g"u8, "t"u8, 7) ?? 0;
            sum += offsets.Find("g"u8, "t"u8, 7);
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        Assert.Equal(Enumerable.Range(3, 997).Sum() + 1, sum);
    }

    [Theory]
    [InlineData("tg", 12, "the key is not topic@group")]
    [InlineData("t@g", 13, "13 bytes")]
    [InlineData("t@g", 12, "queue -1 cannot be at offset -1")]
    public void Open_BrokenOffsets_NamesDatabaseAndKey(string key, int length, string reason)
    {
        byte[] value = new byte[length];
        Array.Fill(value, (byte)0xFF);
        _directory.Store.Values.Put(_directory.Store.ConsumerOffsets, System.Text.Encoding.UTF8.GetBytes(key), value);

        MetadataException error = Assert.Throws<MetadataException>(() => _directory.OpenOffsets());

        Assert.Contains(Path.Combine(_directory.Config, "graymq.db") + ": consumerOffsets/" + key, error.Message);
        Assert.Contains(reason, error.Message);
    }
}
