using System.Buffers;
using System.Text;
using System.Text.Json;
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
    public List<GrayGroupState> ReadGroups()
    {
        var groups = new List<GrayGroupState>();
        foreach (KeyValueEntry entry in values.ScanPrefix(family, [GroupPrefix]))
        {
            try
            {
                groups.Add(JsonSerializer.Deserialize(entry.Value, GrayGroupStateContext.Default.GrayGroupState)
                    ?? throw new JsonException("it is null"));
            }
            catch (JsonException e)
            {
                throw new InvalidDataException(
                    $"what is on disk of the gray group {Encoding.UTF8.GetString(entry.Key[1..])} cannot be read: {e.Message}", e);
            }
        }

        return groups;
    }

    /// <summary>Writes all of it or nothing, and waits until it is on disk.</summary>
    /// <param name="snapshot">Null where it is as it was.</param>
    /// <param name="gone">Groups that are forgotten.</param>
    /// <exception cref="KeyValueStoreException">It is not known to be on disk.</exception>
    public void Write(GraySnapshot? snapshot, IEnumerable<GrayGroupState> groups, IEnumerable<string> gone)
    {
        using KeyValueBatch batch = values.NewBatch();
        if (snapshot is not null)
        {
            batch.Put(family, SnapshotKey, GrayJson.Encode(snapshot));
        }

        foreach (GrayGroupState group in groups)
        {
            batch.Put(
                family, KeyOf(group.Group), JsonSerializer.SerializeToUtf8Bytes(group, GrayGroupStateContext.Default.GrayGroupState));
        }

        foreach (string group in gone)
        {
            batch.Delete(family, KeyOf(group));
        }

        values.Write(batch, sync: true);
    }

    private static byte[] KeyOf(string group) => [GroupPrefix, .. Encoding.UTF8.GetBytes(group)];
}
