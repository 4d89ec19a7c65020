using System.Buffers;
using System.Buffers.Binary;
using GrayMQ.Protocol.Messages;
using GrayMQ.Store;
using GrayMQ.Store.Appending;
using GrayMQ.Store.ConsumeQueues;
using GrayMQ.Store.Dispatching;
using GrayMQ.Store.Files;
using GrayMQ.Store.Reading;
using Microsoft.Extensions.Logging.Abstractions;

namespace GrayMQ.Fuzz.Targets;

/// <summary>
/// A queue whose kept answers were damaged: readers are given the answer that was kept beside a message, or none, and all messages; new answers
/// can be kept. The input is a list of <see cref="FileDamage"/>.
/// </summary>
internal sealed class KeptAnswersTarget : DamagedStoreTarget
{
    private const string Topic = "Answered";
    private const int Messages = 60;

    private readonly Lazy<Dictionary<string, byte[]>> _files = new(MakeStore);

    public override string Name => "kept-answers";

    public override IEnumerable<byte[]> Seeds()
    {
        var random = new Random(1);
        for (int kind = 0; kind < FileDamage.Kinds; kind++)
        {
            byte[] damages = new byte[3 * FileDamage.Bytes];
            random.NextBytes(damages);
            damages[0] = damages[FileDamage.Bytes] = (byte)kind;
            yield return damages;
        }
    }

    protected override Dictionary<string, byte[]> FilesOf(byte[] input)
    {
        var files = new Dictionary<string, byte[]>(_files.Value);
        string[] answers = [.. files.Keys.Where(name => name.StartsWith("graymq.answers/", StringComparison.Ordinal)).Order(StringComparer.Ordinal)];
        FindingException.Unless(answers.Length > 0, "nothing was kept");
        Damage(files, input, file => answers[file % answers.Length]);
        return files;
    }

    protected override async Task RunAsync(string root)
    {
        var keeper = new Keeper();
        await using MessageStore store = Open(root, keeper);
        LogicQueue queue = store.GetQueue(Topic, 0);
        FindingException.Unless(queue.MaxOffset == Messages, $"the queue ends at {queue.MaxOffset}");
        ReadAll(store, queue, allKept: false);
        Append(store, queue, Messages);
        FindingException.Unless(keeper.Kept == Messages, "a new answer is not kept");
        ReadAll(store, queue, allKept: false);
    }

    private static Dictionary<string, byte[]> MakeStore()
    {
        DirectoryInfo folder = FileDamage.CreateFolder();
        try
        {
            MessageStore store = Open(folder.FullName, new Keeper());
            LogicQueue queue = store.GetQueue(Topic, 0);
            Append(store, queue, Messages);
            ReadAll(store, queue, allKept: true);
            store.DisposeAsync().AsTask().GetAwaiter().GetResult();
            return folder.EnumerateFiles("*", SearchOption.AllDirectories)
                .ToDictionary(file => Path.GetRelativePath(folder.FullName, file.FullName), file => File.ReadAllBytes(file.FullName));
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static MessageStore Open(string root, Keeper keeper)
    {
        var store = MessageStore.Open(
            OptionsFor(root) with
            {
                CommitLogFileBytes = 64 * 1024,
                ConsumeQueueFileBytes = 2_000,
                MaxHashSlots = 100,
                MaxIndexEntries = 400,
            },
            LinuxFileSystem.Instance,
            TimeProvider.System,
            NullLoggerFactory.Instance,
            keeper);
        store.Start();
        return store;
    }

    private static void Append(MessageStore store, LogicQueue queue, int count)
    {
        for (int i = 0; i < count; i++)
        {
            AppendResult appended = store.Append(queue, new MessageAppend
            {
                Body = new ReadOnlySequence<byte>("body"u8.ToArray()),
                BornTimestampMs = 1,
                BornHost = MessageHost.FromV4(0x7F000001, 1),
                StoreHost = MessageHost.FromV4(0x7F000001, 2),
            });
            FindingException.Unless(appended.IsOk, $"a message was refused: {appended}");
        }

        WaitForDispatch(store);
    }

    private static void ReadAll(MessageStore store, LogicQueue queue, bool allKept)
    {
        var reader = new Reader();
        using var slices = new MessageSlices();
        for (long offset = 0; offset < queue.MaxOffset; offset++)
        {
            // One at a time, so that the answer that is seen is this message's.
            reader.Offset = offset;
            reader.HasLooked = false;
            ReadStatus status = store.Read(queue, offset, 1, 1 << 20, reader, slices);
            FindingException.Unless(status == ReadStatus.Found && slices.Count == 1, $"message {offset} is not read: {status}");
            FindingException.Unless(!allKept || !reader.HasLooked, $"there is no answer of message {offset}");
        }
    }

    // Each message's own, of many lengths.
    private static byte[] AnswerOf(long queueOffset)
    {
        byte[] answer = new byte[1 + sizeof(long) + (queueOffset * 7 % 90)];
        BinaryPrimitives.WriteInt64BigEndian(answer, queueOffset);
        answer.AsSpan(sizeof(long)).Fill((byte)queueOffset);
        return answer;
    }

    private sealed class Keeper : IArrivalListener
    {
        public int Kept { get; private set; }

        public void OnArrived(LogicQueue queue, long queueOffset, long tagsCode, in StoredMessage message)
        {
            var entry = new ConsumeQueueEntry(message.PhysicalOffset, message.TotalSize, tagsCode);
            Kept += queue.TryKeepAnswer(queueOffset, entry, AnswerOf(queueOffset)) ? 1 : 0;
        }
    }

    private sealed class Reader : IMessageFilter
    {
        public long Offset { get; set; }

        /// <summary>There was no answer.</summary>
        public bool HasLooked { get; set; }

        public bool NeedsMessage => true;

        public bool MatchesEntry(long tagsCode) => true;

        public bool MatchesMessage(in StoredMessage message) => HasLooked = true;

        public bool ReadsAnswersOf(LogicQueue queue) => true;

        public bool? MatchesAnswer(ReadOnlySpan<byte> answer)
        {
            if (answer.IsEmpty)
            {
                return null;
            }

            FindingException.Unless(answer.SequenceEqual(AnswerOf(Offset)), $"what is given as the answer of message {Offset} is another one");
            return true;
        }
    }
}
