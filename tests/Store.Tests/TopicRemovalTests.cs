using System.Buffers;
using GrayMQ.Store.Appending;
using GrayMQ.Store.ConsumeQueues;
using GrayMQ.Store.Tests.Support;

namespace GrayMQ.Store.Tests;

/// <summary>Deleting a topic while others use it, and when it fails half-way.</summary>
public sealed class TopicRemovalTests : IDisposable
{
    private readonly TempFolder _folder = new(inMemory: true);
    private readonly FaultyFileSystem _files = new();
    private readonly ManualTime _time = new();

    public void Dispose() => _folder.Dispose();

    private StoreOptions Options => TestStore.Options(_folder.Path);

    private string TopicPath => _folder["consumequeue", TestStore.Topic];

    private string AwayPath => _folder["graymq.deletedtopic"];

    [Fact]
    public async Task DeleteTopic_SenderHoldsTheQueue_IsRefusedAndBeginsANewOne()
    {
        await using TestStore store = TestStore.Open(Options, _files, _time);
        LogicQueue old = store.Store.GetQueue(TestStore.Topic, 0);
        store.Append("old");
        Assert.True(store.Store.DeleteTopic(TestStore.Topic));
        Assert.Equal(AppendStatus.QueueRetired, Append(store, old));
        Assert.Equal(AppendStatus.Ok, Append(store, store.Store.GetQueue(TestStore.Topic, 0)));
        store.WaitForDispatch();
        Assert.Equal(["x"], store.ReadBodies());
        Assert.False(Directory.Exists(AwayPath));
    }

    [Fact]
    public async Task DeleteTopic_SendersAtWork_EverythingAcknowledgedBehindItIsVisible()
    {
        await using TestStore store = TestStore.Open(Options, _files);
        for (int round = 0; round < 20; round++)
        {
            using var go = new Barrier(5);
            Task[] senders =
            [
                .. Enumerable.Range(0, 4).Select(_ => Task.Run(() =>
                {
                    LogicQueue queue = store.Store.GetQueue(TestStore.Topic, 0);
                    go.SignalAndWait();
                    for (int i = 0; i < 50; i++)
                    {
                        if (Append(store, queue) == AppendStatus.QueueRetired)
                        {
                            queue = store.Store.GetQueue(TestStore.Topic, 0);
                        }
                    }
                })),
            ];
            go.SignalAndWait(TestContext.Current.CancellationToken);
            store.Store.DeleteTopic(TestStore.Topic);
            await Task.WhenAll(senders);
            Assert.Equal(AppendStatus.Ok, Append(store, store.Store.GetQueue(TestStore.Topic, 0)));
            store.WaitForDispatch();
            LogicQueue last = store.Store.FindQueue(TestStore.Topic, 0)!;
            Assert.Equal(0, last.MinOffset);
            Assert.Equal(store.Store.NextQueueOffset(last), last.MaxOffset);
            Assert.Equal(last.MaxOffset, store.ReadAll().Count);
        }
    }

    [Fact]
    public async Task DeleteTopic_DispatchIsStuck_IsGivenUpAndTheTopicGoesOn()
    {
        await using TestStore store = TestStore.Open(Options, _files, _time);
        _files.MayAllocate = path => path.Contains("commitlog", StringComparison.Ordinal);
        store.Append("first");
        Task deleting = Task.Run(
            () => store.Store.DeleteTopic(TestStore.Topic), TestContext.Current.CancellationToken);
        TestStore.WaitFor(() =>
        {
            _time.Advance(TimeSpan.FromMilliseconds(500));
            return deleting.IsCompleted;
        });
        IOException e = await Assert.ThrowsAsync<IOException>(() => deleting);
        Assert.Contains("was not deleted", e.Message, StringComparison.Ordinal);

        _files.MayAllocate = _ => true;
        Assert.True(store.Append("second").IsOk);
        TestStore.WaitFor(() =>
        {
            _time.Advance(TimeSpan.FromSeconds(1));
            return store.Store.DispatchBehindBytes == 0;
        });
        Assert.Equal(["first", "second"], store.ReadBodies());
        Assert.True(store.Store.DeleteTopic(TestStore.Topic));
    }

    [Fact]
    public async Task DeleteTopic_FilesCannotBeMoved_TheTopicStaysAndCanBeDeletedLater()
    {
        await using TestStore store = TestStore.Open(Options, _files, _time);
        store.Append("1");
        _files.MayMove = path => path != TopicPath;
        Assert.Throws<IOException>(() => store.Store.DeleteTopic(TestStore.Topic));
        Assert.Equal(1, store.Append("2").QueueOffset);
        store.WaitForDispatch();
        Assert.Equal(["1", "2"], store.ReadBodies());

        _files.MayMove = _ => true;
        Assert.True(store.Store.DeleteTopic(TestStore.Topic));
        Assert.Null(store.Store.FindQueue(TestStore.Topic, 0));
        Assert.False(Directory.Exists(TopicPath));
    }

    [Fact]
    public async Task DeleteTopic_FilesCannotBeDeleted_TheTopicIsGoneAndTheFilesGoNextTime()
    {
        await using TestStore store = TestStore.Open(Options, _files, _time);
        store.Append("1");
        _files.MayDeleteDirectory = path => path != AwayPath || !Directory.Exists(path);
        Assert.Throws<IOException>(() => store.Store.DeleteTopic(TestStore.Topic));
        Assert.Null(store.Store.FindQueue(TestStore.Topic, 0));
        Assert.True(Directory.Exists(AwayPath));
        Assert.Equal(0, store.Append("new").QueueOffset);

        _files.MayDeleteDirectory = _ => true;
        Assert.True(store.Store.DeleteTopic(TestStore.Topic));
        Assert.False(Directory.Exists(AwayPath));
    }

    [Fact]
    public async Task DeleteTopic_OnlyFilesAreLeft_TheyGo()
    {
        await using TestStore store = TestStore.Open(Options, _files, _time);
        Directory.CreateDirectory(Path.Combine(TopicPath, "0"));
        Assert.True(store.Store.DeleteTopic(TestStore.Topic));
        Assert.False(Directory.Exists(TopicPath));
        Assert.False(store.Store.DeleteTopic(TestStore.Topic));
        Assert.False(store.Store.DeleteTopic(".."));
        Assert.True(Directory.Exists(_folder["consumequeue"]));
    }

    private static AppendStatus Append(TestStore store, LogicQueue queue) => store.Store.Append(queue, new MessageAppend
    {
        Body = new ReadOnlySequence<byte>("x"u8.ToArray()),
        BornHost = TestStore.Host,
        StoreHost = TestStore.Host,
    }).Status;
}
