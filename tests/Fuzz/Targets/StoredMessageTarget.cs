using System.Buffers;
using GrayMQ.Fuzz.Seeds;
using GrayMQ.Protocol.Messages;

namespace GrayMQ.Fuzz.Targets;

/// <summary>Commit-log records one behind the other, as in the log and in a pull reply.</summary>
internal sealed class StoredMessageTarget : FuzzTarget
{
    private const int MaxInflatedBytes = 256 * 1024;
    private const int SeedRecords = 200;

    public override string Name => "stored-message";

    // Each record decoded once, its body inflated up to the limit.
    public override long MaxAllocatedBytes(int inputBytes) => (8 * MaxInflatedBytes) + (2_000L * inputBytes);

    public override IEnumerable<byte[]> Seeds()
    {
        byte[] log = Recorded.Store("store-clean")["commitlog/00000000000000000000"];
        var records = new List<byte[]>();
        for (int at = 0; StoredMessage.Read(log.AsSpan(at), out StoredMessage message) == StoredMessageStatus.Message && records.Count < SeedRecords;)
        {
            records.Add(message.Bytes.ToArray());
            at += message.TotalSize;
        }

        return [.. records, .. records.Chunk(5).Select(some => some.SelectMany(record => record).ToArray())];
    }

    public override bool Run(byte[] input)
    {
        ReadOnlySpan<byte> rest = input;
        int whole = 0;
        while (true)
        {
            StoredMessageStatus status = StoredMessage.Read(rest, out StoredMessage message);
            bool read = StoredMessage.TryRead(rest, out _, out string? error);
            FindingException.Unless(read == (status == StoredMessageStatus.Message), $"Read says {status}, TryRead says {error}");
            FindingException.Unless(read || error is not null, "a record was refused without a reason");
            if (!read)
            {
                break;
            }

            AssertRewrites(in message);
            whole++;
            rest = rest[message.TotalSize..];
        }

        try
        {
            int decoded = MessageDecoder.DecodeAll(input, MaxInflatedBytes).Count;
            FindingException.Unless(rest.IsEmpty && decoded == whole, $"{whole} records were read, {decoded} decoded");
        }
        catch (InvalidDataException)
        {
            // No records, a body that fails its CRC or does not inflate.
        }

        return whole > 0;
    }

    private static void AssertRewrites(in StoredMessage message)
    {
        FindingException.Unless(message.TotalSize > 0, "a record has no bytes");
        FindingException.Unless(
            MessageId.TryParse(MessageId.Format(message.StoreHost, message.PhysicalOffset), out MessageHost host, out long offset)
            && offset == message.PhysicalOffset && host.Equals(message.StoreHost),
            "the message id does not lead back");

        var fields = new StoredMessageFields
        {
            Topic = message.Topic,
            Properties = message.Properties,
            QueueId = message.QueueId,
            Flag = message.Flag,
            QueueOffset = message.QueueOffset,
            PhysicalOffset = message.PhysicalOffset,
            SysFlag = message.SysFlag,
            BornTimestampMs = message.BornTimestampMs,
            BornHost = message.BornHost,
            StoreTimestampMs = message.StoreTimestampMs,
            StoreHost = message.StoreHost,
            ReconsumeTimes = message.ReconsumeTimes,
            PreparedTransactionOffset = message.PreparedTransactionOffset,
        };
        byte[] body = message.Body.ToArray();
        byte[] again = new byte[StoredMessageWriter.RecordBytes(in fields, body.Length)];
        int written = StoredMessageWriter.Write(again, in fields, new ReadOnlySequence<byte>(body));
        FindingException.Unless(written == again.Length, "a record has another size than was said");
        FindingException.Unless(StoredMessage.TryRead(again, out StoredMessage second, out string? error), $"a record written again is refused: {error}");
        FindingException.Unless(
            second.Topic.SequenceEqual(message.Topic)
            && second.Properties.SequenceEqual(message.Properties)
            && second.Body.SequenceEqual(message.Body)
            && second.BodyCrcMatches()
            && (second.QueueId, second.QueueOffset, second.SysFlag, second.Flag, second.ReconsumeTimes, second.PreparedTransactionOffset)
                == (message.QueueId, message.QueueOffset, message.SysFlag, message.Flag, message.ReconsumeTimes, message.PreparedTransactionOffset)
            && (second.BornTimestampMs, second.StoreTimestampMs) == (message.BornTimestampMs, message.StoreTimestampMs)
            && second.BornHost.Equals(message.BornHost),
            "a record written again says something else");

        // The same magic code and a true CRC leave nothing that may differ.
        FindingException.Unless(
            second.Magic != message.Magic || !message.BodyCrcMatches() || second.BodyCrc != message.BodyCrc || again.AsSpan().SequenceEqual(message.Bytes),
            "a record written again has other bytes");
        try
        {
            // With a true CRC a body that was mutated reaches the decompressor.
            MessageDecoder.Decode(in second, MaxInflatedBytes);
        }
        catch (InvalidDataException)
        {
            // It does not inflate, or to too much.
        }
    }
}
