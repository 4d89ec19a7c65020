using System.Collections.Concurrent;
using System.Net;
using System.Runtime.CompilerServices;
using GrayMQ.Broker.Clients;
using GrayMQ.Broker.Names;
using GrayMQ.Broker.Offsets;
using GrayMQ.Broker.Topics;
using GrayMQ.Gray;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Remoting.Connections;

namespace GrayMQ.Broker.Gray;

/// <summary>
/// A consumer group with a release that is not over: on which side each of its clients is, who owns each of its queues, and what that
/// lets them do. Asked by every request of the group; changed by <see cref="GrayWork"/> alone.
/// </summary>
internal sealed class GrayGroup
{
    private readonly ConsumerTable _consumers;
    private readonly ConsumerOffsetTable _offsets;
    private readonly Action _boundaryReached;
    private readonly ConcurrentDictionary<string, QueueOwnership[]> _topics = new(Utf8NameComparer.Instance);
    private readonly ConcurrentDictionary<string, QueueOwnership[]>.AlternateLookup<ReadOnlySpan<byte>> _topicsByUtf8;

    // Commits and changes of owner: a commit that was allowed is in the table before the queue is another's.
    private readonly Lock _gate = new();
    private volatile Rules _rules;

    /// <param name="boundaryReached">Called when a commit may have ended a handover; must be quick.</param>
    public GrayGroup(GrayRelease release, ConsumerTable consumers, ConsumerOffsetTable offsets, Action boundaryReached)
    {
        Name = release.Group;
        _rules = new Rules(release, new HashSet<string>(), new HashSet<string>());
        _consumers = consumers;
        _offsets = offsets;
        _boundaryReached = boundaryReached;
        _topicsByUtf8 = _topics.GetAlternateLookup<ReadOnlySpan<byte>>();
    }

    public string Name { get; }

    public GrayRelease Release => _rules.Release;

    /// <summary>Ids of the clients that an ended release has retired.</summary>
    public IReadOnlySet<string> Retired => _rules.Retired;

    /// <summary>Ids of clients that were the last gray ones and are to be normal: they are gray until their queues are drained.</summary>
    public IReadOnlySet<string> Leaving => _rules.Leaving;

    /// <summary>The topics of which it is decided who owns their queues.</summary>
    public IReadOnlyDictionary<string, QueueOwnership[]> Topics => _topics;

    /// <summary>Where the client behind a connection stands.</summary>
    public Standing StandingOf(RemotingPeer connection)
    {
        Rules rules = _rules;
        if (!rules.Release.IsOpen && rules.Retired.Count == 0)
        {
            return Standing.Plain;
        }

        if (_consumers.Find(Name) is not { } group)
        {
            return OfUnknown(rules, connection.RemoteEndPoint?.Address, null);
        }

        if (group.MessageModel == MessageModel.Broadcasting && group.IsOnline)
        {
            // Each of its clients has all queues to itself.
            return Standing.Plain;
        }

        return ClientSession.Of(connection) is { } session && group.FindClient(session) is { } client
            ? StandingOf(rules, client)
            : OfUnknown(rules, connection.RemoteEndPoint?.Address, group);
    }

    /// <summary>Where a client of the group stands.</summary>
    public Standing StandingOf(ConsumerClient client) => StandingOf(_rules, client);

    /// <summary>Where the client with an id stands, else whoever is behind the connection.</summary>
    public Standing StandingOf(string clientId, RemotingPeer connection) =>
        _consumers.Find(Name)?.FindClient(clientId) is { } client ? StandingOf(client) : StandingOf(connection);

    /// <summary>Who owns a queue; null where nothing is decided of it.</summary>
    public QueueOwnership? Find(ReadOnlySpan<byte> utf8Topic, int queueId) =>
        _topicsByUtf8.TryGetValue(utf8Topic, out QueueOwnership[]? queues) && (uint)queueId < (uint)queues.Length ? queues[queueId] : null;

    /// <summary>
    /// Below which offset somebody may be given messages of a queue: <see cref="long.MaxValue"/> for all of them, 0 for none.
    /// </summary>
    public long CapFor(ReadOnlySpan<byte> utf8Topic, int queueId, Standing standing)
    {
        if (standing == Standing.Plain)
        {
            return long.MaxValue;
        }

        if (standing.ToSide() is not { } side)
        {
            return 0;
        }

        // A topic to which nobody subscribes is nobody's; one that has got another queue is looked at soon.
        return !_topicsByUtf8.TryGetValue(utf8Topic, out QueueOwnership[]? queues) ? long.MaxValue
            : (uint)queueId >= (uint)queues.Length ? 0
            : queues[queueId].Owner == side ? queues[queueId].Cap
            : 0;
    }

    /// <summary>What is to become of a pull.</summary>
    public PullVerdict Judge(RemotingPeer connection, Topic topic, int queueId, long offset)
    {
        Standing standing = StandingOf(connection);
        long cap = CapFor(topic.NameUtf8.Span, queueId, standing);
        if (offset >= cap)
        {
            return PullVerdict.Held;
        }

        if ((standing != Standing.Plain || !Release.IsOpen)
            && Find(topic.NameUtf8.Span, queueId) is { } queue
            && offset < queue.Start
            && _offsets.Find(Name, topic.Name, queueId) is >= 0 and long committed
            && committed != offset)
        {
            // It was allocated the queue before its side owned it, and would consume again what the other side has.
            return PullVerdict.GoOnAt(committed);
        }

        return PullVerdict.Below(cap);
    }

    /// <summary>Takes an offset over if it counts: from the side that owns the queue, upwards, up to where it is capped.</summary>
    public CommitOutcome Commit(
        ReadOnlySpan<byte> utf8Group,
        ReadOnlySpan<byte> utf8Topic,
        int queueId,
        long offset,
        RemotingPeer connection,
        EndPoint? client = null)
    {
        Standing standing = StandingOf(connection);
        if (standing == Standing.Plain)
        {
            // Once a release is over, clients of what was another side know no better than to say where the queue was when they got it.
            return !Release.IsOpen && Find(utf8Topic, queueId)?.Start > offset
                ? CommitOutcome.Ignored
                : _offsets.Commit(utf8Group, utf8Topic, queueId, offset, client);
        }

        QueueOwnership? queue;
        CommitOutcome outcome;
        lock (_gate)
        {
            long cap = CapFor(utf8Topic, queueId, standing);
            if (cap == 0)
            {
                return CommitOutcome.Ignored;
            }

            queue = Find(utf8Topic, queueId);
            outcome = _offsets.Commit(utf8Group, utf8Topic, queueId, Math.Min(offset, cap), client, upwardsOnly: queue is not null);
        }

        if (queue is { IsHandedOver: true } && offset >= queue.Boundary)
        {
            _boundaryReached();
        }

        return outcome;
    }

    /// <summary>Clients that stand where this one does, in the order in which they came.</summary>
    public IEnumerable<ConsumerClient> ClientsOf(ConsumerGroup group, Standing standing) =>
        group.Clients.Where(client => StandingOf(client) == standing);

    /// <summary>What decides on which side a client is, for people.</summary>
    public string BecauseOf(ConsumerClient client)
    {
        Rules rules = _rules;
        IPAddress? address = client.Connection.RemoteEndPoint?.Address;
        return rules.Retired.Contains(client.ClientId) ? "retired"
            : rules.Leaving.Contains(client.ClientId) ? "draining"
            : rules.Release.Clients.ContainsKey(client.ClientId) ? "stored"
            : rules.Release.Rules.FirstOrDefault(rule => rule.Matches(client.ClientId, address)) is { } rule ? $"rule {rule.Pattern}"
            : client.GrayFlag is not null ? "heartbeat"
            : "default";
    }

    /// <summary>Goes over to another version of the release, or another set of retired or leaving clients.</summary>
    public void Update(GrayRelease release, IReadOnlySet<string> retired, IReadOnlySet<string> leaving) =>
        _rules = new Rules(release, retired, leaving);

    /// <summary>From now on these own the queues of the topics.</summary>
    public void Apply(IEnumerable<KeyValuePair<string, QueueOwnership[]>> topics)
    {
        lock (_gate)
        {
            foreach ((string topic, QueueOwnership[] queues) in topics)
            {
                _topics[topic] = queues;
            }
        }
    }

    /// <summary>Nothing is decided any more of a topic.</summary>
    public void Forget(string topic)
    {
        lock (_gate)
        {
            _topics.TryRemove(topic, out _);
        }
    }

    /// <summary>Runs something while no commit comes in between.</summary>
    public void Exclusively(Action action)
    {
        lock (_gate)
        {
            action();
        }
    }

    private static Standing StandingOf(Rules rules, ConsumerClient client)
    {
        if (rules.Sides.TryGetValue(client, out Known? known) && known.ClientFlag == client.GrayFlag)
        {
            return known.Standing;
        }

        Standing standing =
            !rules.Release.IsOpen ? rules.Retired.Contains(client.ClientId) ? Standing.Retired : Standing.Plain
            : rules.Leaving.Contains(client.ClientId) ? Standing.Gray
            : Standings.Of(
                ClientSides.Of(rules.Release, client.ClientId, client.Connection.RemoteEndPoint?.Address, client.GrayFlag));
        rules.Sides.AddOrUpdate(client, new Known(client.GrayFlag, standing));
        return standing;
    }

    // Requests carry no client id: until a heartbeat has told, the address does, by a rule or by all others who have it.
    private static Standing OfUnknown(Rules rules, IPAddress? address, ConsumerGroup? group)
    {
        if (ClientSides.OfAddress(rules.Release, address) is { } side)
        {
            return Standings.Of(side);
        }

        Standing? shared = null;
        foreach (ConsumerClient client in group?.Clients ?? [])
        {
            if (Equals(client.Connection.RemoteEndPoint?.Address, address))
            {
                Standing standing = StandingOf(rules, client);
                if (shared is not null && shared != standing)
                {
                    return Standing.Unknown;
                }

                shared = standing;
            }
        }

        return shared ?? Standing.Unknown;
    }

    private sealed record Known(bool? ClientFlag, Standing Standing);

    private sealed record Rules(GrayRelease Release, IReadOnlySet<string> Retired, IReadOnlySet<string> Leaving)
    {
        public ConditionalWeakTable<ConsumerClient, Known> Sides { get; } = [];
    }
}
