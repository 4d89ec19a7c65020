using System.Buffers.Binary;
using GrayMQ.Protocol.Messages;
using GrayMQ.Store.ConsumeQueues;
using GrayMQ.Store.Dispatching;
using GrayMQ.Store.Files;
using GrayMQ.Store.Reading;
using GrayMQ.Store.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;

namespace GrayMQ.Store.Tests;

/// <summary>What is kept beside queue entries for filters: found again by the message that it belongs to, and by no other.</summary>
public sealed class AnswerTests : IDisposable
{
    // So many entries has a queue file of TestStore.
    private const int FileEntries = 50;

    private readonly TempFolder _folder = new(inMemory: true);
    private readonly FaultyFileSystem _files = new();

    public void Dispose() => _folder.Dispose();

    private string AnswersPath => _folder["graymq.answers", TestStore.Topic, "0"];

    [Fact]
    public async Task Read_ByAnswers_GetsWhatTheySayWithoutLooking()
    {
        await using KeepingStore store = Open(offset => [(byte)(offset % 3)]);
        store.Fill(10);
        var filter = new OneOf(0);

        Assert.Equal([0, 3, 6, 9], store.Read(filter));
        Assert.Equal(0, filter.LookedAt);
    }

    [Fact]
    public async Task Read_EntriesWithoutAnswer_AreLookedAt()
    {
        await using KeepingStore store = Open(offset => offset < 5 ? [1] : null);
        store.Fill(10);
        var filter = new OneOf(0);

        Assert.Equal([5, 6, 7, 8, 9], store.Read(filter));
        Assert.Equal(5, filter.LookedAt);
    }

    [Fact]
    public async Task Keep_MoreThanAFileHasRoomFor_MakesItLonger()
    {
        byte[] AnswerOf(long offset)
        {
            byte[] answer = new byte[1000];
            answer[0] = (byte)(offset % 2);
            BinaryPrimitives.WriteInt64BigEndian(answer.AsSpan(992), offset);
            return answer;
        }

        await using KeepingStore store = Open(AnswerOf);
        store.Fill(FileEntries + 10);
        var filter = new OneOf(1);

        Assert.Equal(Enumerable.Range(0, FileEntries + 10).Where(offset => offset % 2 == 1).Select(offset => (long)offset), store.Read(filter));
        Assert.Equal((0, 0), (filter.LookedAt, store.Failures));
        Assert.True(new FileInfo(Directory.GetFiles(AnswersPath).Order().First()).Length > FileEntries * 1000);
    }

    [Fact]
    public async Task Restart_AnswersAreThere_AndMoreAreKeptBehindThem()
    {
        await using (KeepingStore store = Open(_ => [7]))
        {
            store.Fill(10);
        }

        await using KeepingStore again = Open(_ => [8]);
        again.Fill(10);
        var seven = new OneOf(7);

        Assert.Equal(Enumerable.Range(0, 10).Select(offset => (long)offset), again.Read(seven));
        Assert.Equal(Enumerable.Range(10, 10).Select(offset => (long)offset), again.Read(new OneOf(8)));
        Assert.Equal(0, seven.LookedAt);
    }

    [Fact]
    public async Task Read_AnswerOfAnotherMessage_IsNotBelieved()
    {
        await using (KeepingStore store = Open(_ => [7]))
        {
            store.Fill(3);
        }

        // The first entry points to what belongs to the second.
        string path = Directory.GetFiles(AnswersPath).Single();
        byte[] bytes = await File.ReadAllBytesAsync(path);
        bytes.AsSpan(8, 8).CopyTo(bytes);
        await File.WriteAllBytesAsync(path, bytes);

        await using KeepingStore again = Open(_ => [7]);
        var filter = new OneOf(7);
        Assert.Equal([0, 1, 2], again.Read(filter, whenLookedAt: true));
        Assert.Equal(1, filter.LookedAt);
    }

    [Fact]
    public async Task LogThatLostItsEnd_AnswersBehindItAreForgotten()
    {
        long cutAt;
        await using (KeepingStore store = Open(_ => [7]))
        {
            store.Fill(10);
            LogicQueue queue = store.Store.FindQueue(TestStore.Topic, 0)!;
            Assert.True(queue.TryGetEntry(6, out ConsumeQueueEntry entry));
            cutAt = entry.PhysicalOffset;
        }

        // As after a power failure: the log ends in the middle of its first file, what is kept has come to the disk, the rest is as it was.
        await File.WriteAllTextAsync(_folder["abort"], "1");
        File.Delete(_folder["graymq.progress"]);
        using (FileStream log = File.OpenWrite(Directory.GetFiles(_folder["commitlog"]).Order().First()))
        {
            log.Position = cutAt;
            log.Write(new byte[(64 * 1024) - cutAt]);
        }

        await using KeepingStore again = Open(_ => null);
        Assert.Equal(6, again.Store.FindQueue(TestStore.Topic, 0)!.MaxOffset);
        again.Fill(4);
        var filter = new OneOf(7);
        Assert.Equal([0, 1, 2, 3, 4, 5], again.Read(filter, whenLookedAt: false));
        Assert.Equal(4, filter.LookedAt);
    }

    [Fact]
    public async Task FullDisk_KeepingFails_MessagesAreThere()
    {
        await using KeepingStore store = Open(_ => [7]);
        store.Fill(1);
        _files.MayAllocate = path => !path.Contains("graymq.answers", StringComparison.Ordinal);
        store.Fill(FileEntries + 9);
        var filter = new OneOf(7);

        Assert.Equal(FileEntries + 10, store.Read(filter, whenLookedAt: true).Count);
        Assert.True(filter.LookedAt > 0);
        Assert.True(store.Failures > 0);
    }

    [Fact]
    public async Task RemoveExpiredFiles_AnswersGoWithTheirQueueFiles()
    {
        var time = new ManualTime();
        await using KeepingStore store = Open(_ => [7], time);
        store.Fill(300, bodyBytes: 1_000);
        time.Advance(TimeSpan.FromHours(100));
        int before = Directory.GetFiles(AnswersPath).Length;

        Assert.True(store.Store.RemoveExpiredFiles() > 0);

        string[] left = [.. Directory.GetFiles(_folder["consumequeue", TestStore.Topic, "0"]).Select(Path.GetFileName).Order()!];
        Assert.True(left.Length < before);
        Assert.Equal(left, Directory.GetFiles(AnswersPath).Select(Path.GetFileName).Order());
        var filter = new OneOf(7);
        Assert.Equal(300 - store.Store.FindQueue(TestStore.Topic, 0)!.MinOffset, store.Read(filter).Count);
        Assert.Equal(0, filter.LookedAt);
    }

    private KeepingStore Open(Func<long, byte[]?> answerOf, TimeProvider? time = null) =>
        new(TestStore.Options(_folder.Path), _files, time ?? TimeProvider.System, answerOf);

    /// <summary>A store whose listener keeps an answer beside each entry.</summary>
    private sealed class KeepingStore : IArrivalListener, IAsyncDisposable
    {
        private readonly Func<long, byte[]?> _answerOf;

        public KeepingStore(StoreOptions options, IStoreFileSystem files, TimeProvider time, Func<long, byte[]?> answerOf)
        {
            _answerOf = answerOf;
            Store = MessageStore.Open(options, files, time, NullLoggerFactory.Instance, this);
            Store.Start();
        }

        public MessageStore Store { get; }

        public int Failures { get; private set; }

        public void OnArrived(LogicQueue queue, long queueOffset, long tagsCode, in StoredMessage message)
        {
            if (_answerOf(queueOffset) is not { } answer)
            {
                return;
            }

            try
            {
                var entry = new ConsumeQueueEntry(message.PhysicalOffset, message.TotalSize, tagsCode);
                Failures += queue.TryKeepAnswer(queueOffset, entry, answer) ? 0 : 1;
            }
            catch (IOException)
            {
                Failures++;
            }
        }

        public void Fill(int messages, int bodyBytes = 20)
        {
            for (int i = 0; i < messages; i++)
            {
                Assert.True(Store.Append(Store.GetQueue(TestStore.Topic, 0), new Appending.MessageAppend
                {
                    Body = new System.Buffers.ReadOnlySequence<byte>(TestStore.Body(i, bodyBytes)),
                    BornHost = TestStore.Host,
                    StoreHost = TestStore.Host,
                }).IsOk);
            }

            TestStore.WaitFor(() => Store.DispatchedOffset >= Store.MaxPhysicalOffset);
        }

        /// <summary>The queue offsets that a filter takes, from the queue's beginning to its end.</summary>
        public List<long> Read(OneOf filter, bool whenLookedAt = true)
        {
            filter.WhenLookedAt = whenLookedAt;
            LogicQueue queue = Store.FindQueue(TestStore.Topic, 0)!;
            var offsets = new List<long>();
            using var slices = new MessageSlices();
            for (long next = queue.MinOffset; next < queue.MaxOffset; next = slices.NextOffset)
            {
                Store.Read(queue, next, 32, 1 << 20, filter, slices);
                offsets.AddRange(Enumerable.Range(0, slices.Count).Select(slices.QueueOffsetOf));
            }

            return offsets;
        }

        public ValueTask DisposeAsync() => Store.DisposeAsync();
    }

    /// <summary>Takes messages whose answer begins with a byte.</summary>
    private sealed class OneOf(byte wanted) : IMessageFilter
    {
        public bool WhenLookedAt { get; set; }

        public int LookedAt { get; private set; }

        public bool NeedsMessage => true;

        public bool MatchesEntry(long tagsCode) => true;

        public bool MatchesMessage(in StoredMessage message)
        {
            LookedAt++;
            return WhenLookedAt;
        }

        public bool ReadsAnswersOf(LogicQueue queue) => queue.Topic == TestStore.Topic;

        public bool? MatchesAnswer(ReadOnlySpan<byte> answer) => answer.IsEmpty ? null : answer[0] == wanted;
    }
}
