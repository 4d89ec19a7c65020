using System.Buffers;
using System.Text;
using GrayMQ.Protocol.Messages;
using GrayMQ.Store.ConsumeQueues;
using GrayMQ.Store.Reading;
using GrayMQ.Store.Tests.Support;

namespace GrayMQ.Store.Tests;

/// <summary>What a read gives, and where it says to go on.</summary>
public sealed class ReadTests : IDisposable
{
    private readonly TempFolder _folder = new(inMemory: true);

    public void Dispose() => _folder.Dispose();

    private TestStore Open() => TestStore.Open(TestStore.Options(_folder.Path));

    private static void Fill(TestStore store, int count, int bodyBytes = 100)
    {
        for (int i = 0; i < count; i++)
        {
            store.Append(TestStore.Body(i, bodyBytes), properties: $"TAGS\u0001t{i % 10}\u0002");
        }

        store.WaitForDispatch();
    }

    private static (ReadStatus Status, long Next, int Count) Read(
        TestStore store, long offset, int maxCount = 32, int maxBytes = 1 << 20, IMessageFilter? filter = null)
    {
        using var slices = new MessageSlices();
        ReadStatus status = store.Store.Read(store.Store.GetQueue(TestStore.Topic, 0), offset, maxCount, maxBytes, filter, slices);
        return (status, slices.NextOffset, slices.Count);
    }

    [Fact]
    public async Task Read_OffsetsOutside_AreCorrectedAsRocketMQDoes()
    {
        await using TestStore store = Open();
        Assert.Equal((ReadStatus.NoMessageInQueue, 0L, 0), Read(store, 0));
        Assert.Equal((ReadStatus.NoMessageInQueue, 0L, 0), Read(store, 17));
        Fill(store, 10);
        Assert.Equal((ReadStatus.OffsetTooSmall, 0L, 0), Read(store, -1));
        Assert.Equal((ReadStatus.Found, 10L, 10), Read(store, 0));
        Assert.Equal((ReadStatus.Found, 10L, 1), Read(store, 9));
        Assert.Equal((ReadStatus.OffsetOverflowOne, 10L, 0), Read(store, 10));
        Assert.Equal((ReadStatus.OffsetOverflowBadly, 10L, 0), Read(store, 11));
        Assert.Equal((ReadStatus.OffsetOverflowBadly, 10L, 0), Read(store, long.MaxValue));
        Assert.Equal((ReadStatus.OffsetTooSmall, 0L, 0), Read(store, long.MinValue));
    }

    [Fact]
    public async Task Read_Limits_EndTheReadButTheFirstMessageIsAlwaysGiven()
    {
        await using TestStore store = Open();
        Fill(store, 40, bodyBytes: 900);
        Assert.Equal((ReadStatus.Found, 5L, 5), Read(store, 0, maxCount: 5));
        Assert.Equal((ReadStatus.Found, 32L, 32), Read(store, 0, maxCount: 100));
        Assert.Equal((ReadStatus.Found, 1L, 1), Read(store, 0, maxBytes: 1));
        (_, long next, int count) = Read(store, 0, maxBytes: 3_100);
        Assert.Equal((3L, 3), (next, count));
        Assert.Equal((ReadStatus.Found, 1L, 1), Read(store, 0, maxCount: 0));
    }

    [Fact]
    public async Task Read_OneRead_StaysWithinOneQueueFile()
    {
        await using TestStore store = Open();
        Fill(store, 120);
        Assert.Equal((ReadStatus.Found, 50L, 10), Read(store, 40));
        Assert.Equal((ReadStatus.Found, 82L, 32), Read(store, 50));
    }

    [Fact]
    public async Task Read_Filter_PassesOverWhatItDoesNotMatch()
    {
        await using TestStore store = Open();
        Fill(store, 50);
        var filter = new TagFilter("t3");
        Assert.Equal((ReadStatus.Found, 50L, 5), Read(store, 0, filter: filter));
        Assert.Equal((ReadStatus.NoMatchedMessage, 50L, 0), Read(store, 44, filter: filter));
        Assert.Equal((ReadStatus.Found, 14L, 2), Read(store, 0, maxCount: 2, filter: filter) with { Next = 14 });
        Assert.Equal((ReadStatus.NoMatchedMessage, 50L, 0), Read(store, 0, filter: new TagFilter("none")));

        var byMessage = new TagFilter("t3", byMessage: true);
        Assert.Equal((ReadStatus.Found, 50L, 5), Read(store, 0, filter: byMessage));
        Assert.Equal((ReadStatus.NoMatchedMessage, 50L, 0), Read(store, 44, filter: byMessage));
        Assert.Equal((ReadStatus.NoMatchedMessage, 50L, 0), Read(store, 0, filter: new TagFilter("none", byMessage: true)));
    }

    [Fact]
    public async Task Read_FilterThatMatchesNothing_LooksAtALimitedNumberOfEntries()
    {
        await using TestStore store = TestStore.Open(TestStore.Options(_folder.Path) with
        {
            ConsumeQueueFileBytes = 5_000 * ConsumeQueueEntry.Bytes,
        });
        Fill(store, 2_000, bodyBytes: 10);
        Assert.Equal((ReadStatus.NoMatchedMessage, 800L, 0), Read(store, 0, filter: new TagFilter("none")));
        Assert.Equal((ReadStatus.NoMatchedMessage, 1_600L, 0), Read(store, 800, filter: new TagFilter("none")));
    }

    [Fact]
    public async Task CopyTo_Slices_AreTheRecordsOneBehindTheOther()
    {
        await using TestStore store = Open();
        for (int i = 0; i < 20; i++)
        {
            store.Append($"{i}", queueId: i % 2);
        }

        store.WaitForDispatch();
        using var slices = new MessageSlices();
        store.Store.Read(store.Store.GetQueue(TestStore.Topic, 1), 0, 32, 1 << 20, null, slices);
        var writer = new ArrayBufferWriter<byte>();
        slices.CopyTo(writer);
        Assert.Equal(slices.TotalBytes, writer.WrittenCount);
        List<ReceivedMessage> messages = MessageDecoder.DecodeAll(writer.WrittenSpan);
        Assert.Equal(
            Enumerable.Range(0, 10).Select(i => $"{(2 * i) + 1}"),
            messages.Select(message => Encoding.UTF8.GetString(message.Body.Span)));
    }

    [Fact]
    public async Task OffsetByTime_Boundaries_AreRocketMQs()
    {
        var time = new ManualTime();
        await using TestStore store = TestStore.Open(TestStore.Options(_folder.Path), time: time);
        LogicQueue queue = store.Store.GetQueue(TestStore.Topic, 0);
        Assert.Equal(0, store.Store.OffsetByTime(queue, 5, BoundaryType.Lower));
        Assert.Equal(0, store.Store.OffsetByTime(queue, 5, BoundaryType.Upper));

        // 3 messages at each of 40 times, 10 ms apart, over several queue files.
        long begin = time.GetUtcNow().ToUnixTimeMilliseconds();
        for (int i = 0; i < 120; i++)
        {
            store.Append($"{i}");
            if (i % 3 == 2)
            {
                time.Advance(TimeSpan.FromMilliseconds(10));
            }
        }

        store.WaitForDispatch();
        Assert.Equal(0, store.Store.OffsetByTime(queue, 0, BoundaryType.Lower));
        Assert.Equal(0, store.Store.OffsetByTime(queue, 0, BoundaryType.Upper));
        for (int group = 0; group < 40; group++)
        {
            long at = begin + (group * 10);
            Assert.Equal(group * 3, store.Store.OffsetByTime(queue, at, BoundaryType.Lower));
            Assert.Equal((group * 3) + 2, store.Store.OffsetByTime(queue, at, BoundaryType.Upper));
            Assert.Equal((group * 3) + 3, store.Store.OffsetByTime(queue, at + 5, BoundaryType.Lower));
            Assert.Equal((group * 3) + 2, store.Store.OffsetByTime(queue, at + 5, BoundaryType.Upper));
        }

        Assert.Equal(120, store.Store.OffsetByTime(queue, long.MaxValue, BoundaryType.Lower));
        Assert.Equal(119, store.Store.OffsetByTime(queue, long.MaxValue, BoundaryType.Upper));
        Assert.Equal(begin + 10, store.Store.StoreTimestampOf(queue, 4));
        Assert.Equal(-1, store.Store.StoreTimestampOf(queue, 120));
        Assert.Equal(begin, store.Store.EarliestStoreTimestampMs);
    }

    private sealed class TagFilter(string tag, bool byMessage = false) : IMessageFilter
    {
        private readonly byte[] _tag = Encoding.UTF8.GetBytes(tag);

        public bool NeedsMessage => byMessage;

        public bool MatchesEntry(long tagsCode) => byMessage || tagsCode == TagsCode.Of(_tag);

        public bool MatchesMessage(in StoredMessage message) =>
            message.TryGetProperty(MessagePropertyUtf8.Tags, out ReadOnlySpan<byte> value) && value.SequenceEqual(_tag);
    }
}
