using System.Collections.Concurrent;
using GrayMQ.Broker.Clients;
using GrayMQ.Broker.Topics;
using GrayMQ.Remoting.Connections;

namespace GrayMQ.Broker.Lifecycle;

/// <summary>Who sends messages, and when the last one came for each topic. Noting a send takes no lock and allocates nothing.</summary>
internal sealed class SendActivity(TopicTable topics, ProducerTable producers, TimeProvider time)
{
    // A stock client's own group, which each of them announces, consumers too (RocketMQ: MixAll.CLIENT_INNER_PRODUCER_GROUP).
    private const string InnerProducerGroup = "CLIENT_INNER_PRODUCER";

    // A topic's time is not written for each message: processors would pass its memory back and forth.
    private readonly long _coarse = time.TimestampFrequency / 10;
    private readonly ConcurrentDictionary<RemotingPeer, Sender> _senders = new();
    private long _firstSendTimestamp = long.MinValue;
    private long _lastSendTimestamp = long.MinValue;

    /// <summary>Connections that have sent.</summary>
    public int SenderCount => _senders.Keys.Count(sender => !sender.IsClosed);

    /// <summary>Whether anybody is there who could send: has sent, or announced a producer group.</summary>
    public bool AnyProducer => SenderCount > 0 || producers.Groups.Any(group => group.Key != InnerProducerGroup);

    /// <summary>When the first send came to any topic; long.MinValue when none did. As <see cref="TimeProvider.GetTimestamp"/> counts.</summary>
    public long FirstSendTimestamp => Volatile.Read(ref _firstSendTimestamp);

    /// <summary>When the last send came to any topic; long.MinValue when none did. As <see cref="TimeProvider.GetTimestamp"/> counts.</summary>
    public long LastSendTimestamp => Volatile.Read(ref _lastSendTimestamp);

    /// <summary>When the last send came to any of the topics; long.MinValue when none did.</summary>
    public long LastSendTo(IEnumerable<string> names)
    {
        long last = long.MinValue;
        foreach (string name in names)
        {
            last = Math.Max(last, topics.Find(name)?.LastSendTimestamp ?? long.MinValue);
        }

        return last;
    }

    /// <summary>Names of the topics that were sent to since a time.</summary>
    public IEnumerable<string> TopicsSince(long timestamp) =>
        topics.Snapshot().Topics.Where(topic => topic.LastSendTimestamp > timestamp).Select(topic => topic.Name);

    /// <summary>A send has come.</summary>
    public void Note(RemotingPeer connection, Topic topic)
    {
        long now = connection.HandledTimestamp ?? time.GetTimestamp();
        if (topic.LastSendTimestamp < now - _coarse)
        {
            topic.LastSendTimestamp = now;
            if (LastSendTimestamp < now)
            {
                Volatile.Write(ref _lastSendTimestamp, now);
            }

            if (FirstSendTimestamp == long.MinValue)
            {
                Volatile.Write(ref _firstSendTimestamp, now);
            }
        }

        if (connection.Features.Get<Sender>() is { } sender)
        {
            if (now - sender.LastSendTimestamp > _coarse)
            {
                sender.LastSendTimestamp = now;
            }

            return;
        }

        Add(connection.Client, now);
    }

    /// <summary>A connection has ended, or a client that has none.</summary>
    public void ConnectionClosed(RemotingPeer connection) => _senders.TryRemove(connection, out _);

    /// <summary>Addresses of those who have sent since a time.</summary>
    public IReadOnlyList<string> SendersSince(long timestamp, int most) =>
    [
        .. _senders.Where(sender => sender.Value.LastSendTimestamp > timestamp)
            .Select(sender => sender.Key.RemoteEndPoint?.ToString() ?? "?")
            .Order(StringComparer.Ordinal)
            .Take(most),
    ];

    private void Add(RemotingPeer connection, long now)
    {
        var sender = new Sender { LastSendTimestamp = now };
        connection.Features.Set(sender);
        _senders[connection] = sender;
        if (connection.IsClosed)
        {
            // Its end was told before.
            _senders.TryRemove(connection, out _);
        }
    }

    private sealed class Sender
    {
        private long _lastSendTimestamp;

        public long LastSendTimestamp
        {
            get => Volatile.Read(ref _lastSendTimestamp);
            set => Volatile.Write(ref _lastSendTimestamp, value);
        }
    }
}
