using System.Buffers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using GrayMQ.Gray;
using GrayMQ.Store.KeyValue;

namespace GrayMQ.Broker.Gray;

/// <summary>
/// What the broker acts on of gray, on disk, so that a restart goes on where it was: the snapshot, and of each group with a release who owns
/// its queues. Every write waits for the disk.
/// </summary>
internal sealed class GrayStore(KeyValueStore values, KeyFamily family)
{
    private const byte GroupPrefix = (byte)'g';
    private const byte MappingPrefix = (byte)'m';
    private const byte SkipPrefix = (byte)'w';
    private static readonly byte[] SnapshotKey = "snapshot"u8.ToArray();

    /// <summary>The snapshot that was written last; null when there is none.</summary>
    /// <exception cref="InvalidDataException">What is there cannot be read.</exception>
    public GraySnapshot? ReadSnapshot()
    {
        if (!values.TryGet(family, SnapshotKey, out byte[]? json))
        {
            return null;
        }

        try
        {
            return GrayJson.DecodeSnapshot(new ReadOnlySequence<byte>(json));
        }
        catch (GrayFormatException e)
        {
            throw new InvalidDataException($"the gray snapshot on disk cannot be read: {e.Message}", e);
        }
    }

    /// <exception cref="InvalidDataException">What is there cannot be read.</exception>
    public List<GrayGroupState> ReadGroups() => Read(GroupPrefix, GrayGroupStateContext.Default.GrayGroupState, "group");

    /// <exception cref="InvalidDataException">What is there cannot be read.</exception>
    public List<TopicMapping> ReadMappings() => Read(MappingPrefix, TopicMappingContext.Default.TopicMapping, "topic");

    /// <exception cref="InvalidDataException">What is there cannot be read.</exception>
    public List<GraySkip> ReadSkips() => Read(SkipPrefix, GraySkipContext.Default.GraySkip, "leftover");

    /// <summary>Writes all of it or nothing, and waits until it is on disk.</summary>
    /// <param name="snapshot">Null where it is as it was.</param>
    /// <param name="gone">Groups that are forgotten.</param>
    /// <param name="mappings">Topics whose queues are mapped otherwise from now on.</param>
    /// <param name="skips">Withdrawals of which more, or nothing any more, is to be skipped.</param>
    /// <exception cref="KeyValueStoreException">It is not known to be on disk.</exception>
    public void Write(
        GraySnapshot? snapshot,
        IEnumerable<GrayGroupState> groups,
        IEnumerable<string> gone,
        IEnumerable<TopicMapping>? mappings = null,
        IEnumerable<GraySkipChange>? skips = null)
    {
        using KeyValueBatch batch = values.NewBatch();
        if (snapshot is not null)
        {
            batch.Put(family, SnapshotKey, GrayJson.Encode(snapshot));
        }

        foreach (GrayGroupState group in groups)
        {
            batch.Put(
                family,
                KeyOf(GroupPrefix, group.Group),
                JsonSerializer.SerializeToUtf8Bytes(group, GrayGroupStateContext.Default.GrayGroupState));
        }

        foreach (string group in gone)
        {
            batch.Delete(family, KeyOf(GroupPrefix, group));
        }

        foreach (TopicMapping mapping in mappings ?? [])
        {
            if (mapping.IsEmpty)
            {
                batch.Delete(family, KeyOf(MappingPrefix, mapping.Topic));
                continue;
            }

            batch.Put(
                family,
                KeyOf(MappingPrefix, mapping.Topic),
                JsonSerializer.SerializeToUtf8Bytes(mapping, TopicMappingContext.Default.TopicMapping));
        }

        foreach ((string group, long generation, GraySkip? now) in skips ?? [])
        {
            // No group's name has a blank.
            byte[] key = KeyOf(SkipPrefix, $"{group} {generation}");
            if (now is null)
            {
                batch.Delete(family, key);
            }
            else
            {
                batch.Put(family, key, JsonSerializer.SerializeToUtf8Bytes(now, GraySkipContext.Default.GraySkip));
            }
        }

        values.Write(batch, sync: true);
    }

    private List<T> Read<T>(byte prefix, JsonTypeInfo<T> type, string what)
    {
        var all = new List<T>();
        foreach (KeyValueEntry entry in values.ScanPrefix(family, [prefix]))
        {
            try
            {
                all.Add(JsonSerializer.Deserialize(entry.Value, type) ?? throw new JsonException("it is null"));
            }
            catch (JsonException e)
            {
                throw new InvalidDataException(
                    $"what is on disk of the gray {what} {Encoding.UTF8.GetString(entry.Key[1..])} cannot be read: {e.Message}", e);
            }
        }

        return all;
    }

    private static byte[] KeyOf(byte prefix, string name) => [prefix, .. Encoding.UTF8.GetBytes(name)];
}
