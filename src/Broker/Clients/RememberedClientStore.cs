using GrayMQ.Protocol.Bodies;
using GrayMQ.Store.KeyValue;
using Microsoft.Extensions.Logging;

namespace GrayMQ.Broker.Clients;

/// <summary>
/// What is remembered of clients, on disk: key <c>group, client id</c>, value a heartbeat of that one group as JSON. Changes are
/// written a moment later, many at a time: a client whose last words were lost in a crash is asked to say them again.
/// </summary>
internal sealed class RememberedClientStore : IDisposable
{
    /// <summary>How long a change may wait for others to be written with it.</summary>
    public static readonly TimeSpan WriteDelay = TimeSpan.FromMilliseconds(200);

    private const int MaxUtf8BytesPerChar = 3;

    private readonly KeyValueStore _values;
    private readonly KeyFamily _family;
    private readonly ILogger _logger;
    private readonly ITimer _timer;
    private readonly Lock _gate = new();
    private readonly Lock _writing = new();
    private Dictionary<RememberedKey, RememberedClient?> _changes = [];
    private bool _disposed;

    public RememberedClientStore(
        KeyValueStore values, KeyFamily family, TimeProvider time, ILogger<RememberedClientStore> logger)
    {
        _values = values;
        _family = family;
        _logger = logger;
        _timer = time.CreateTimer(_ => Write(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>All that was remembered when the broker was stopped. What cannot be read is dropped.</summary>
    public List<RememberedClient> ReadAll()
    {
        var all = new List<RememberedClient>();
        var broken = new List<byte[]>();
        foreach (KeyValueEntry entry in _values.Scan(_family))
        {
            try
            {
                all.Add(Decode(entry.Value));
            }
            catch (BodyFormatException e)
            {
                Log.RememberedBroken(_logger, Convert.ToHexString(entry.Key), e.Message);
                broken.Add(entry.Key.ToArray());
            }
        }

        foreach (byte[] key in broken)
        {
            _values.Delete(_family, key);
        }

        Log.Remembered(_logger, all.Count);
        return all;
    }

    /// <summary>What is remembered of a client has changed: for <see cref="ConsumerTable.MemoryChanged"/>.</summary>
    public void Changed(RememberedKey key, RememberedClient? client)
    {
        lock (_gate)
        {
            bool first = _changes.Count == 0;
            _changes[key] = client;
            if (first && !_disposed)
            {
                _timer.Change(WriteDelay, Timeout.InfiniteTimeSpan);
            }
        }
    }

    /// <summary>Writes what is left.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            _disposed = true;
        }

        _timer.Dispose();
        Write();
    }

    private void Write()
    {
        lock (_writing)
        {
            Dictionary<RememberedKey, RememberedClient?> changes;
            lock (_gate)
            {
                changes = _changes;
                _changes = [];
            }

            try
            {
                Write(changes);
            }
            catch (KeyValueStoreException e)
            {
                Log.RememberingFailed(_logger, e, changes.Count);
                foreach ((RememberedKey key, RememberedClient? client) in changes)
                {
                    PutBack(key, client);
                }
            }
        }
    }

    private void PutBack(RememberedKey key, RememberedClient? client)
    {
        lock (_gate)
        {
            // What came meanwhile is newer.
            if (_changes.TryAdd(key, client) && !_disposed)
            {
                _timer.Change(WriteDelay, Timeout.InfiniteTimeSpan);
            }
        }
    }

    private void Write(Dictionary<RememberedKey, RememberedClient?> changes)
    {
        if (changes.Count == 0)
        {
            return;
        }

        using KeyValueBatch batch = _values.NewBatch();
        foreach ((RememberedKey key, RememberedClient? client) in changes)
        {
            byte[] bytes = Encode(key);
            if (client is null)
            {
                batch.Delete(_family, bytes);
            }
            else
            {
                batch.Put(_family, bytes, Encode(client));
            }
        }

        _values.Write(batch);
    }

    private static byte[] Encode(RememberedKey key)
    {
        byte[] buffer = new byte[((key.Group.Length + key.ClientId.Length) * MaxUtf8BytesPerChar) + 2];
        return new KeyWriter(buffer).Text(key.Group).Text(key.ClientId).Key.ToArray();
    }

    private static byte[] Encode(RememberedClient client) => BodyCodec.Encode(new HeartbeatData
    {
        ClientId = client.ClientId,
        HeartbeatFingerprint = client.Fingerprint,
        ConsumerDataSet =
        [
            new ConsumerData
            {
                GroupName = client.Group,
                ConsumeType = client.Traits.ConsumeType,
                MessageModel = client.Traits.MessageModel,
                ConsumeFromWhere = client.Traits.ConsumeFromWhere,
                UnitMode = client.Traits.UnitMode,
                SubscriptionDataSet = [.. client.Subscriptions.All.Select(each => each.Data)],
            },
        ],
    });

    private static RememberedClient Decode(ReadOnlySpan<byte> json)
    {
        var heartbeat = BodyCodec.Decode<HeartbeatData>(json);
        if (heartbeat.ConsumerDataSet is not [{ } consumer])
        {
            throw new BodyFormatException($"{heartbeat.ConsumerDataSet.Count} groups where one is expected");
        }

        return new RememberedClient(
            consumer.GroupName,
            heartbeat.ClientId,
            heartbeat.HeartbeatFingerprint,
            new ConsumerTraits(consumer.ConsumeType, consumer.MessageModel, consumer.ConsumeFromWhere, consumer.UnitMode),
            SubscriptionSet.Of(consumer.SubscriptionDataSet),
            LastSeenMs: 0);
    }
}
