using System.Buffers;
using System.Text;
using GrayMQ.Fuzz.Seeds;
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
/// A store whose files were damaged: it opens with what is whole or says why not, everything it serves is a record, it takes
/// messages again, and the next start finds the same. The input is a list of damages.
/// <code>
/// which store 1, then for each damage: kind 1 | file 2 | position 4 | length or value 2
/// </code>
/// </summary>
internal sealed class StoreRecoveryTarget : DamagedStoreTarget
{
    private const int DamageBytes = FileDamage.Bytes;
    private const string NewTopic = "AfterTheDamage";

    private readonly Dictionary<string, byte[]>[] _stores = [Recorded.Store("store-clean"), Recorded.Store("store-unclean")];

    public override string Name => "store-recovery";

    public override IEnumerable<byte[]> Seeds()
    {
        yield return [0];
        yield return [1];
        var random = new Random(1);
        for (int store = 0; store < 2; store++)
        {
            for (int kind = 0; kind < FileDamage.Kinds; kind++)
            {
                byte[] damage = new byte[1 + (2 * DamageBytes)];
                random.NextBytes(damage);
                damage[0] = (byte)store;
                damage[1] = damage[1 + DamageBytes] = (byte)kind;
                yield return damage;
            }
        }
    }

    protected override Dictionary<string, byte[]>? FilesOf(byte[] input)
    {
        if (input.Length == 0)
        {
            return null;
        }

        var files = new Dictionary<string, byte[]>(_stores[input[0] % _stores.Length]);
        string[] names = [.. files.Keys.Order(StringComparer.Ordinal)];

        // Half of all damages hit the log.
        Damage(files, input.AsSpan(1), file => (file & 1) == 0
            ? names.First(name => name.StartsWith("commitlog/", StringComparison.Ordinal))
            : names[(file >> 1) % names.Length]);
        return files;
    }

    private static StoreOptions Options(string root) => OptionsFor(root) with
    {
        CommitLogFileBytes = 1024 * 1024,
        ConsumeQueueFileBytes = 6_000,
        MaxHashSlots = 2_000,
        MaxIndexEntries = 8_000,
    };

    protected override async Task RunAsync(string root)
    {
        byte[] body = Encoding.ASCII.GetBytes(root);
        AppendResult appended;
        MessageStore store;
        try
        {
            store = MessageStore.Open(Options(root), LinuxFileSystem.Instance, TimeProvider.System, NullLoggerFactory.Instance, Deaf.Instance);
        }
        catch (Exception e) when (e is InvalidDataException or IOException)
        {
            // It says what it cannot open; the files are as they were.
            return;
        }

        await using (store)
        {
            store.Start();
            WaitForDispatch(store);
            ReadAll(store);
            appended = store.Append(store.GetQueue(NewTopic, 0), new MessageAppend
            {
                Body = new ReadOnlySequence<byte>(body),
                Properties = "KEYS\u0001k\u0002"u8,
                BornTimestampMs = 1,
                BornHost = MessageHost.FromV4(0x7F000001, 1),
                StoreHost = MessageHost.FromV4(0x7F000001, 2),
            });
            FindingException.Unless(appended.IsOk, $"a message was refused: {appended}");
            WaitForDispatch(store);
            AssertReads(store, appended, body);
        }

        await using MessageStore again = MessageStore.Open(
            Options(root), LinuxFileSystem.Instance, TimeProvider.System, NullLoggerFactory.Instance, Deaf.Instance);
        again.Start();
        WaitForDispatch(again);
        ReadAll(again);
        AssertReads(again, appended, body);
    }

    private static void ReadAll(MessageStore store)
    {
        using var slices = new MessageSlices();
        foreach (LogicQueue queue in store.Queues)
        {
            long offset = queue.MinOffset;
            while (offset < queue.MaxOffset)
            {
                store.Read(queue, offset, 32, 1 << 20, null, slices);
                for (int i = 0; i < slices.Count; i++)
                {
                    FindingException.Unless(
                        StoredMessage.TryRead(slices[i], out StoredMessage message, out string? error), $"what was served is no record: {error}");
                    FindingException.Unless(message.TotalSize == slices[i].Length, "what was served is more than a record");
                }

                FindingException.Unless(slices.NextOffset > offset, $"reading {queue.Topic}/{queue.QueueId} stands still at {offset}");
                offset = slices.NextOffset;
            }
        }
    }

    private static void AssertReads(MessageStore store, in AppendResult appended, byte[] body)
    {
        using var slices = new MessageSlices();
        LogicQueue? queue = store.FindQueue(NewTopic, 0);
        FindingException.Unless(queue is not null, "the queue of the new message is not there");
        ReadStatus status = store.Read(queue!, appended.QueueOffset, 1, 1 << 20, null, slices);
        FindingException.Unless(status == ReadStatus.Found && slices.Count == 1, $"the new message is not read: {status}");
        FindingException.Unless(
            StoredMessage.TryRead(slices[0], out StoredMessage message, out _) && message.Body.SequenceEqual(body) && message.BodyCrcMatches(),
            "the new message is another one");
    }

    private sealed class Deaf : IArrivalListener
    {
        public static Deaf Instance { get; } = new();

        public void OnArrived(LogicQueue queue, long queueOffset, long tagsCode, in StoredMessage message)
        {
        }
    }
}
