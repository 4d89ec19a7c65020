using System.Buffers;
using System.Buffers.Binary;
using System.Diagnostics;
using System.Globalization;
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
internal sealed class StoreRecoveryTarget : FuzzTarget
{
    private const int DamageBytes = FileDamage.Bytes;
    private const int MaxDamages = 8;
    private const string NewTopic = "AfterTheDamage";
    private static readonly TimeSpan DispatchTimeout = TimeSpan.FromSeconds(10);

    private readonly Dictionary<string, byte[]>[] _stores = [Recorded.Store("store-clean"), Recorded.Store("store-unclean")];

    public override string Name => "store-recovery";

    public override bool MeasuresAllocation => false;

    /// <summary>Files are mapped into memory: a mistake there ends the process.</summary>
    public override bool MayEndTheProcess => true;

    public override TimeSpan MaxDuration => TimeSpan.FromSeconds(15);

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

    public override bool Run(byte[] input)
    {
        if (input.Length == 0)
        {
            return false;
        }

        DirectoryInfo folder = FileDamage.CreateFolder();
        try
        {
            WriteDamaged(input, folder.FullName);
            RunAsync(folder.FullName).GetAwaiter().GetResult();
            return true;
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static StoreOptions Options(string root) => new()
    {
        RootDirectory = root,
        CommitLogFileBytes = 1024 * 1024,
        ConsumeQueueFileBytes = 6_000,
        MaxHashSlots = 2_000,
        MaxIndexEntries = 8_000,
        FlushDiskType = FlushDiskType.AsyncFlush,
        DiskMaxUsedSpaceRatio = 100,
        DiskSpaceCleanForciblyRatio = 100,
        DiskSpaceWarningLevelRatio = 100,
    };

    private static async Task RunAsync(string root)
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

    private static void WaitForDispatch(MessageStore store)
    {
        long started = Stopwatch.GetTimestamp();
        var wait = default(SpinWait);
        while (store.DispatchedOffset < store.MaxPhysicalOffset)
        {
            FindingException.Unless(
                Stopwatch.GetElapsedTime(started) < DispatchTimeout,
                string.Create(CultureInfo.InvariantCulture, $"the dispatcher stands at {store.DispatchedOffset} of {store.MaxPhysicalOffset}"));
            wait.SpinOnce();
        }
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

    private void WriteDamaged(byte[] input, string root)
    {
        Dictionary<string, byte[]> files = _stores[input[0] % _stores.Length].ToDictionary(file => file.Key, file => file.Value);
        string[] names = [.. files.Keys.Order(StringComparer.Ordinal)];
        for (int at = 1; at + DamageBytes <= input.Length && at < 1 + (MaxDamages * DamageBytes); at += DamageBytes)
        {
            ReadOnlySpan<byte> damage = input.AsSpan(at, DamageBytes);

            // Half of all damages hit the log.
            ushort file = BinaryPrimitives.ReadUInt16BigEndian(damage[1..]);
            string name = (file & 1) == 0 ? names.First(name => name.StartsWith("commitlog/", StringComparison.Ordinal)) : names[(file >> 1) % names.Length];
            if (files.TryGetValue(name, out byte[]? content) && FileDamage.Apply(content, damage) is { } damaged)
            {
                files[name] = damaged;
            }
            else
            {
                files.Remove(name);
            }
        }

        FileDamage.Write(files, root);
    }

    private sealed class Deaf : IArrivalListener
    {
        public static Deaf Instance { get; } = new();

        public void OnArrived(LogicQueue queue, long queueOffset, long tagsCode, in StoredMessage message)
        {
        }
    }
}
