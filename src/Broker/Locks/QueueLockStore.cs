using System.Text;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Store.KeyValue;
using Microsoft.Extensions.Logging;

namespace GrayMQ.Broker.Locks;

/// <summary>
/// Who holds which queue, on disk: key <c>group, topic, broker, queue id</c>, value the client id. Written when a queue changes hands, not
/// when a lock is renewed. After a restart clients find their queues as they left them; without that, whoever comes back first would
/// get queues whose holders are still at work with what they have fetched, and their order would be lost.
/// </summary>
internal sealed class QueueLockStore(KeyValueStore values, KeyFamily family, ILogger<QueueLockStore> logger)
{
    private const int MaxUtf8BytesPerChar = 3;

    // A queue id, and the ends of three texts.
    private const int FixedKeyBytes = sizeof(int) + 3;

    /// <summary>All locks that were held when the broker ended. What cannot be read is passed over.</summary>
    public List<HeldQueue> ReadAll()
    {
        var all = new List<HeldQueue>();
        foreach (KeyValueEntry entry in values.Scan(family))
        {
            try
            {
                var key = new KeyReader(entry.Key);
                string group = key.Text();
                string topic = key.Text();
                string broker = key.Text();
                all.Add(new HeldQueue(group, new MessageQueue(topic, broker, key.Int32()), Encoding.UTF8.GetString(entry.Value)));
            }
            catch (InvalidDataException e)
            {
                Log.LockUnreadable(logger, Convert.ToHexString(entry.Key), e.Message);
            }
        }

        return all;
    }

    /// <summary>Queues have a new holder.</summary>
    public void Put(string group, IReadOnlyCollection<MessageQueue> queues, string clientId)
    {
        byte[] value = Encoding.UTF8.GetBytes(clientId);
        Write(group, queues, sync: true, (batch, key) => batch.Put(family, key, value));
    }

    /// <summary>Queues have no holder any more.</summary>
    public void Delete(string group, IReadOnlyCollection<MessageQueue> queues) =>
        Write(group, queues, sync: false, (batch, key) => batch.Delete(family, key));

    // What cannot be written counts all the same, for as long as this process lives.
    private void Write(string group, IReadOnlyCollection<MessageQueue> queues, bool sync, Action<KeyValueBatch, ReadOnlySpan<byte>> add)
    {
        if (queues.Count == 0)
        {
            return;
        }

        try
        {
            using KeyValueBatch batch = values.NewBatch();
            foreach (MessageQueue queue in queues)
            {
                var buffer = new byte[
                    ((group.Length + queue.Topic.Length + queue.BrokerName.Length) * MaxUtf8BytesPerChar) + FixedKeyBytes];
                add(batch, new KeyWriter(buffer).Text(group).Text(queue.Topic).Text(queue.BrokerName).Int32(queue.QueueId).Key);
            }

            values.Write(batch, sync);
        }
        catch (KeyValueStoreException e)
        {
            Log.LocksNotWritten(logger, e, group, queues.Count);
        }
    }
}

/// <summary>A queue that a client of a group holds.</summary>
internal sealed record HeldQueue(string Group, MessageQueue Queue, string ClientId);
