using System.Buffers;
using System.Diagnostics;
using System.Text;
using GrayMQ.Protocol.Messages;
using GrayMQ.Store.Appending;
using GrayMQ.Store.ConsumeQueues;
using GrayMQ.Store.Dispatching;
using GrayMQ.Store.Files;
using GrayMQ.Store.Flushing;
using GrayMQ.Store.Reading;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace GrayMQ.Store.Tests.Support;

/// <summary>A started store with small files, and what tests do with one.</summary>
public sealed class TestStore : IAsyncDisposable
{
    public const string Topic = "TestTopic";

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private TestStore(MessageStore store, ArrivalRecorder arrivals)
    {
        Store = store;
        Arrivals = arrivals;
    }

    public MessageStore Store { get; }

    public ArrivalRecorder Arrivals { get; }

    public static MessageHost Host { get; } = MessageHost.FromV4(0x7F000001, 10911);

    public static StoreOptions Options(string root) => new()
    {
        RootDirectory = root,
        CommitLogFileBytes = 64 * 1024,
        ConsumeQueueFileBytes = 50 * ConsumeQueueEntry.Bytes,
        MaxHashSlots = 500,
        MaxIndexEntries = 2_000,
        MaxMessageBytes = 32 * 1024,
        FlushDiskType = FlushDiskType.AsyncFlush,
        DiskMaxUsedSpaceRatio = 100,
        DiskSpaceCleanForciblyRatio = 100,
        DiskSpaceWarningLevelRatio = 100,
    };

    public static TestStore Open(
        StoreOptions options,
        IStoreFileSystem? files = null,
        TimeProvider? time = null,
        ILoggerFactory? logs = null,
        ITagsCodeRule? tagsCodes = null,
        bool start = true,
        IReadOnlyList<ILogFollower>? followers = null)
    {
        var arrivals = new ArrivalRecorder();
        MessageStore store = MessageStore.Open(
            options,
            files ?? LinuxFileSystem.Instance,
            time ?? TimeProvider.System,
            logs ?? NullLoggerFactory.Instance,
            arrivals,
            tagsCodes,
            followers: followers);
        if (start)
        {
            store.Start();
        }

        return new TestStore(store, arrivals);
    }

    public static byte[] Body(int seed, int length)
    {
        byte[] body = new byte[length];
        new Random(seed).NextBytes(body);
        return body;
    }

    public AppendResult Append(
        byte[] body, string topic = Topic, int queueId = 0, string properties = "", int sysFlag = 0,
        long preparedOffset = 0) =>
        Store.Append(
            Store.GetQueue(topic, queueId),
            new MessageAppend
            {
                Body = new ReadOnlySequence<byte>(body),
                Properties = Encoding.UTF8.GetBytes(properties),
                SysFlag = sysFlag,
                PreparedTransactionOffset = preparedOffset,
                BornTimestampMs = 1_700_000_000_000,
                BornHost = Host,
                StoreHost = Host,
            });

    public AppendResult Append(string body, string topic = Topic, int queueId = 0, string properties = "", int sysFlag = 0) =>
        Append(Encoding.UTF8.GetBytes(body), topic, queueId, properties, sysFlag);

    /// <summary>Appends what is neither written nor dispatched before it is announced, or there is no more room in memory.</summary>
    public AppendResult AppendAnnouncedLater(string body, int queueId = 0) =>
        Store.Append(
            Store.GetQueue(Topic, queueId),
            new MessageAppend
            {
                Body = new ReadOnlySequence<byte>(Encoding.UTF8.GetBytes(body)),
                BornHost = Host,
                StoreHost = Host,
                IsAnnouncedLater = true,
            });

    /// <summary>Waits until everything appended so far can be read.</summary>
    public void WaitForDispatch() => WaitFor(() => Store.DispatchedOffset >= Store.MaxPhysicalOffset);

    public static void WaitFor(Func<bool> condition)
    {
        long startedAt = Stopwatch.GetTimestamp();
        var wait = default(SpinWait);
        while (!condition())
        {
            Assert.True(Stopwatch.GetElapsedTime(startedAt) < Patience, "waited too long");
            wait.SpinOnce();
        }
    }

    public async Task FlushAsync() =>
        Assert.Equal(FlushStatus.Flushed, await Store.WaitForFlushAsync(Store.MaxPhysicalOffset));

    /// <summary>All messages of a queue, read in steps as a consumer would.</summary>
    public List<ReceivedMessage> ReadAll(string topic = Topic, int queueId = 0)
    {
        var messages = new List<ReceivedMessage>();
        if (Store.FindQueue(topic, queueId) is not { } queue)
        {
            return messages;
        }

        using var slices = new MessageSlices();
        long offset = queue.MinOffset;
        while (offset < queue.MaxOffset)
        {
            Store.Read(queue, offset, 32, 1 << 20, null, slices);
            for (int i = 0; i < slices.Count; i++)
            {
                Assert.True(StoredMessage.TryRead(slices[i], out StoredMessage message, out string? error), error);
                messages.Add(MessageDecoder.Decode(message));
                Assert.Equal(slices.QueueOffsetOf(i), messages[^1].QueueOffset);
            }

            Assert.True(slices.NextOffset > offset, "reading has to get on");
            offset = slices.NextOffset;
        }

        return messages;
    }

    public List<string> ReadBodies(string topic = Topic, int queueId = 0) =>
        ReadAll(topic, queueId).ConvertAll(message => Encoding.UTF8.GetString(message.Body.Span));

    public ValueTask DisposeAsync() => Store.DisposeAsync();
}

/// <summary>Remembers what arrived.</summary>
public sealed class ArrivalRecorder : IArrivalListener
{
    private readonly Lock _lock = new();
    private readonly List<(string Topic, int QueueId, long QueueOffset, long TagsCode)> _arrivals = [];

    public bool IsPaused { get; set; }

    public List<(string Topic, int QueueId, long QueueOffset, long TagsCode)> All
    {
        get
        {
            lock (_lock)
            {
                return [.. _arrivals];
            }
        }
    }

    public void OnArrived(LogicQueue queue, long queueOffset, long tagsCode, in StoredMessage message)
    {
        if (IsPaused)
        {
            return;
        }

        lock (_lock)
        {
            _arrivals.Add((queue.Topic, queue.QueueId, queueOffset, tagsCode));
        }
    }
}
