using System.Collections.Concurrent;
using System.Net;
using System.Runtime.CompilerServices;
using GrayMQ.Broker.Clients;
using GrayMQ.Broker.Names;
using GrayMQ.Broker.Offsets;
using GrayMQ.Broker.Topics;
using GrayMQ.Gray;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Names;
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
    private volatile IReadOnlyDictionary<(Side Side, string Topic), long> _presence = new Dictionary<(Side, string), long>();
    private volatile bool _isClosed;

    /// <param name="boundaryReached">Called when a commit may have ended a handover; must be quick.</param>
    public GrayGroup(GrayRelease release, ConsumerTable consumers, ConsumerOffsetTable offsets, Action boundaryReached)
    {
        Name = release.Group;
        _rules = new Rules(release, new HashSet<string>(), new HashSet<string>(), new Dictionary<string, GrayClient>());
        _consumers = consumers;
        _offsets = offsets;
        _boundaryReached = boundaryReached;
        _topicsByUtf8 = _topics.GetAlternateLookup<ReadOnlySpan<byte>>();
    }

    public string Name { get; }

    public GrayRelease Release => _rules.Release;

    /// <summary>How far messages were given to anybody.</summary>
    public GivenOffsets Given { get; } = new();

    /// <summary>Who knows of the queues that have changed hands.</summary>
    public ToldClients Told { get; } = new();

    /// <summary>
    /// For the moment, nobody is given anything: how much was given is being looked at. What clients commit counts as before.
    /// </summary>
    public bool IsClosed
    {
        get => _isClosed;
        set => _isClosed = value;
    }

    /// <summary>Ids of the clients that a release has retired, this one or one before.</summary>
    public IReadOnlySet<string> Retired => _rules.Retired;

    /// <summary>Ids of clients that were the last gray ones and are to be normal: they are gray until their queues are drained.</summary>
    public IReadOnlySet<string> Leaving => _rules.Leaving;

    /// <summary>The topics of which it is decided who owns their queues.</summary>
    public IReadOnlyDictionary<string, QueueOwnership[]> Topics => _topics;

    /// <summary>Where the client behind a connection stands.</summary>
    public Standing StandingOf(RemotingPeer connection) => StandingOf(connection, out _);

    /// <summary>Where a client of the group stands.</summary>
    public Standing StandingOf(ConsumerClient client) => StandingOf(_rules, client);

    /// <summary>Where the client with an id stands, else whoever is behind the connection.</summary>
    public Standing StandingOf(string clientId, RemotingPeer connection) =>
        _consumers.Find(Name)?.FindClient(clientId) is { } client ? StandingOf(client) : StandingOf(connection);

    /// <summary>
    /// To whom comes back what a client fails; null where nobody can say. What a side that was withdrawn has in hand still is, where what it
    /// leaves is skipped, for nobody else.
    /// </summary>
    public Side? FailingSideOf(RemotingPeer connection)
    {
        Standing standing = StandingOf(connection);
        return standing == Standing.Retired && Release is { State: GrayReleaseState.Withdrawn, Leftover: GrayLeftover.Skip }
            ? Side.Gray
            : standing.ToSide();
    }

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

        // Until it is decided whose it is, a topic is nobody's: one to which a side has subscribed just now, one that has got another queue.
        return _topicsByUtf8.TryGetValue(utf8Topic, out QueueOwnership[]? queues)
            && (uint)queueId < (uint)queues.Length
            && queues[queueId].Owner == side
                ? queues[queueId].Cap
                : 0;
    }

    /// <summary>As <see cref="CapFor"/>, but 0 for everybody while the group is closed.</summary>
    public long EndFor(ReadOnlySpan<byte> utf8Topic, int queueId, RemotingPeer connection) =>
        IsClosed ? 0 : CapFor(utf8Topic, queueId, StandingOf(connection));

    /// <summary>What is to become of a pull.</summary>
    public PullVerdict Judge(RemotingPeer connection, Topic topic, int queueId, long offset)
    {
        if (IsClosed)
        {
            return PullVerdict.Held;
        }

        Standing standing = StandingOf(connection, out ConsumerClient? client);
        ReadOnlySpan<byte> utf8Topic = topic.NameUtf8.Span;
        long cap = CapFor(utf8Topic, queueId, standing);
        if (cap > 0
            && (standing != Standing.Plain || !Release.IsOpen)
            && Find(utf8Topic, queueId) is { } queue)
        {
            // None where the group was deleted with its offsets: then there is nothing to be told.
            long committed = _offsets.Find(Name, topic.Name, queueId);
            if (client is not null && !Told.Knows(utf8Topic, queueId, client.ClientId))
            {
                if (committed >= 0 && offset > committed)
                {
                    // Not told yet: it is when it comes with the group's offset, which till then it may commit its own over.
                    return PullVerdict.BackTo(committed);
                }

                Told.Tell(utf8Topic, queueId, client.ClientId);
                if (offset < committed)
                {
                    return PullVerdict.GoOnAt(committed);
                }
            }

            if (offset < queue.Start && committed > offset)
            {
                // It was allocated the queue before its side owned it, and would consume again what the other side has.
                return PullVerdict.GoOnAt(committed);
            }
        }

        return offset >= cap ? PullVerdict.Held : PullVerdict.Below(cap);
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
        Standing standing = StandingOf(connection, out ConsumerClient? caller);
        if (standing == Standing.Plain && Release.IsOpen)
        {
            return _offsets.Commit(utf8Group, utf8Topic, queueId, offset, client);
        }

        if (caller is not null && !Told.Knows(utf8Topic, queueId, caller.ClientId))
        {
            return CommitOutcome.Ignored;
        }

        if (standing == Standing.Plain)
        {
            // Once a release is over, clients of what was another side know no better than to say where the queue was when they got it.
            return Find(utf8Topic, queueId)?.Start > offset
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
            outcome = _offsets.Commit(utf8Group, utf8Topic, queueId, Math.Min(offset, cap), client, upwardsOnly: true);
        }

        if (queue is { IsHandedOver: true } && offset >= queue.Boundary)
        {
            _boundaryReached();
        }

        return outcome;
    }

    /// <summary>
    /// Since when no client of a side that subscribes to a topic is connected, ms since 1970; 0 while one is, and null where none is expected.
    /// </summary>
    public long? AbsentSinceMs(Side side, string topic) => _presence.TryGetValue((side, topic), out long since) ? since : null;

    /// <summary>Clients that stand where this one does, in the order in which they came.</summary>
    public IEnumerable<ConsumerClient> ClientsOf(ConsumerGroup group, Standing standing) =>
        group.Clients.Where(client => StandingOf(client) == standing);

    /// <summary>What the connected clients of a side ask for, by topic: of two that ask for different things, the later one. No retry topics.</summary>
    public Dictionary<string, Subscription> SubscriptionsOf(ConsumerGroup? group, Standing standing)
    {
        var all = new Dictionary<string, Subscription>(StringComparer.Ordinal);
        foreach (ConsumerClient client in group is null ? [] : ClientsOf(group, standing))
        {
            foreach (Subscription subscription in client.Subscriptions.All)
            {
                if (!subscription.Topic.StartsWith(TopicNames.RetryPrefix, StringComparison.Ordinal)
                    && (!all.TryGetValue(subscription.Topic, out Subscription? known) || known.SubVersion < subscription.SubVersion))
                {
                    all[subscription.Topic] = subscription;
                }
            }
        }

        return all;
    }

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
        _rules = new Rules(release, retired, leaving, _rules.Known);

    /// <summary>Who subscribes to what now, as <see cref="AbsentSinceMs"/> tells it.</summary>
    public void Note(IReadOnlyDictionary<(Side Side, string Topic), long> presence) => _presence = presence;

    /// <summary>These are the clients that are there, or were a short while ago, by client id.</summary>
    public void Know(IReadOnlyDictionary<string, GrayClient> clients) => _rules = _rules with { Known = clients };

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

    /// <summary>Nothing is decided any more of a topic; false when nothing was.</summary>
    public bool Forget(string topic)
    {
        Given.Forget(topic);
        Told.Forget(topic);
        lock (_gate)
        {
            return _topics.TryRemove(topic, out _);
        }
    }

    private Standing StandingOf(RemotingPeer connection, out ConsumerClient? client)
    {
        client = null;
        Rules rules = _rules;
        if (!rules.Release.IsOpen && rules.Retired.Count == 0 && Told.IsEmpty)
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

        client = ClientSession.Of(connection) is { } session ? group.FindClient(session) : null;
        return client is not null
            ? StandingOf(rules, client)
            : OfUnknown(rules, connection.RemoteEndPoint?.Address, group);
    }

    private static Standing StandingOf(Rules rules, ConsumerClient client)
    {
        if (rules.Sides.TryGetValue(client, out KnownStanding? known) && known.ClientFlag == client.GrayFlag)
        {
            return known.Standing;
        }

        Standing standing = StandingOf(
            rules,
            client.ClientId,
            rules.Leaving.Contains(client.ClientId)
                ? Side.Gray
                : ClientSides.Of(
                    rules.Release, client.ClientId, client.Connection.RemoteEndPoint?.Address, HoldsFlag(rules, client) || client.GrayFlag == true));
        rules.Sides.AddOrUpdate(client, new KnownStanding(client.GrayFlag, standing));
        return standing;
    }

    // Who is gray when the gray side is to replace the other stays it to the end, whatever his heartbeats say: a service takes its flag back
    // once the name servers call the promotion done, and where this broker hears of the heartbeat first, it would retire the winner.
    private static bool HoldsFlag(Rules rules, ConsumerClient client) =>
        rules.Release is { State: GrayReleaseState.Promoting, Promotion: GrayPromotion.Replace }
        && rules.Known.TryGetValue(client.ClientId, out GrayClient? known)
        && known.Side == Side.Gray;

    private static Standing StandingOf(Rules rules, string clientId, Side side) =>
        rules.Retired.Contains(clientId) ? Standing.Retired
        : rules.Release.IsOpen ? Standings.Of(side)
        : Standing.Plain;

    // Requests carry no client id: until a heartbeat has told, the address does, by a rule or by all others who have it. Those who are not
    // connected count as well, since it may be one of them who comes back: after a restart, that is everybody.
    private static Standing OfUnknown(Rules rules, IPAddress? address, ConsumerGroup? group)
    {
        string? text = address?.ToString();
        var standings = new HashSet<Standing>();
        foreach (ConsumerClient client in group?.Clients ?? [])
        {
            if (Equals(client.Connection.RemoteEndPoint?.Address, address))
            {
                standings.Add(StandingOf(rules, client));
            }
        }

        foreach ((string clientId, GrayClient client) in rules.Known)
        {
            if ((client.Address is null || client.Address == text) && group?.FindClient(clientId) is null)
            {
                standings.Add(StandingOf(rules, clientId, client.Side));
            }
        }

        bool isOne = standings.Count == 1;
        return isOne && standings.Contains(Standing.Retired) ? Standing.Retired
            : ClientSides.OfAddress(rules.Release, address) is { } side ? Standings.Of(side)
            : isOne ? standings.Single()
            : standings.Count > 1 || rules.Release.IsOpen || rules.Retired.Count > 0 ? Standing.Unknown
            : Standing.Plain;
    }

    private sealed record KnownStanding(bool? ClientFlag, Standing Standing);

    // Of one moment: what follows from it for a client is worked out once.
    private sealed record Rules(
        GrayRelease Release,
        IReadOnlySet<string> Retired,
        IReadOnlySet<string> Leaving,
        IReadOnlyDictionary<string, GrayClient> Known)
    {
        public ConditionalWeakTable<ConsumerClient, KnownStanding> Sides { get; } = [];
    }
}
