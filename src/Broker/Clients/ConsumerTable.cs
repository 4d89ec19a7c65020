using System.Collections.Concurrent;
using GrayMQ.Broker.Names;
using GrayMQ.Remoting.Dispatch;
using Microsoft.Extensions.Logging;

namespace GrayMQ.Broker.Clients;

/// <summary>
/// The consumer groups, who belongs to them and what they subscribe to, as heartbeats told. Reads take no lock and
/// allocate nothing. A group is there while a client of it is connected or remembered; it is online while one is connected.
/// </summary>
public sealed class ConsumerTable
{
    private readonly ConcurrentDictionary<string, ConsumerGroup> _groups = new(Utf8NameComparer.Instance);
    private readonly ConcurrentDictionary<string, ConsumerGroup>.AlternateLookup<ReadOnlySpan<byte>> _groupsByUtf8Name;
    private readonly ClientLimits _limits;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly Lock _changing = new();
    private int _remembered;

    public ConsumerTable(ClientLimits limits, TimeProvider time, ILogger<ConsumerTable> logger)
    {
        _limits = limits;
        _time = time;
        _logger = logger;
        _groupsByUtf8Name = _groups.GetAlternateLookup<ReadOnlySpan<byte>>();
    }

    /// <summary>Raised, outside of every lock, when a client has come or gone or the group's topics have changed.</summary>
    public event Action<ConsumerGroup>? GroupChanged;

    /// <summary>
    /// Raised when what is remembered of a client has changed; null means that it is forgotten. Raised under the
    /// table's lock, so in order: listeners must be quick.
    /// </summary>
    public event Action<RememberedKey, RememberedClient?>? MemoryChanged;

    /// <summary>
    /// Raised with a group's name when it may subscribe to something else than before, or is gone. Raised under the table's lock: listeners
    /// must be quick.
    /// </summary>
    public event Action<string>? SubscriptionsChanged;

    /// <summary>Says of a client of a group with a release whether it is on the gray side, whose subscriptions are kept apart.</summary>
    internal Func<ConsumerGroup, ConsumerClient, bool>? IsGray { get; set; }

    /// <summary>Says of a client whether a release has retired it: what it subscribes to is no longer what its group does.</summary>
    internal Func<ConsumerGroup, ConsumerClient, bool>? IsRetired { get; set; }

    /// <summary>All groups, also those that are not online.</summary>
    public IEnumerable<ConsumerGroup> Groups => _groups.Values;

    /// <summary>Finds a group without allocating.</summary>
    public ConsumerGroup? Find(ReadOnlySpan<byte> utf8Group) =>
        _groupsByUtf8Name.TryGetValue(utf8Group, out ConsumerGroup? found) ? found : null;

    public ConsumerGroup? Find(string group) => _groups.GetValueOrDefault(group);

    /// <summary>The group when at least one of its clients is connected.</summary>
    public ConsumerGroup? FindOnline(string group) => Find(group) is { IsOnline: true } found ? found : null;

    /// <summary>The groups that are online and subscribe to a topic.</summary>
    public IEnumerable<string> GroupsOf(string topic) =>
        _groups.Values.Where(group => group.IsOnline && group.FindSubscription(topic) is not null).Select(group => group.Name);

    /// <summary>Takes back what was remembered before the broker was stopped. To be called before anything is served.</summary>
    public void Restore(IEnumerable<RememberedClient> remembered)
    {
        lock (_changing)
        {
            long now = NowMs();
            foreach (RememberedClient client in remembered.OrderBy(client => NewestVersion(client.Subscriptions)))
            {
                ConsumerGroup group = _groups.GetOrAdd(
                    client.Group, static (name, traits) => new ConsumerGroup(name, traits), client.Traits);
                group.Traits = client.Traits;
                if (group.Remembered.TryAdd(client.ClientId, client with { LastSeenMs = now }))
                {
                    _remembered++;
                }
            }

            foreach (ConsumerGroup group in _groups.Values)
            {
                group.Subscriptions = Remembered(group, static _ => true);
            }
        }
    }

    /// <summary>
    /// Says after <see cref="Restore"/> that a group has sides, or had: it subscribes to what its normal clients do, and not to what those do
    /// that a release has retired, however much newer that is.
    /// </summary>
    /// <param name="gray">Ids of clients on the gray side.</param>
    /// <param name="retired">Ids of clients that are neither.</param>
    internal void RestoreSides(string name, IReadOnlySet<string> gray, IReadOnlySet<string> retired)
    {
        lock (_changing)
        {
            if (Find(name) is { } group)
            {
                group.Subscriptions = Remembered(group, client => !gray.Contains(client) && !retired.Contains(client));
                group.GraySubscriptions = Remembered(group, client => gray.Contains(client) && !retired.Contains(client));
                SubscriptionsChanged?.Invoke(name);
            }
        }
    }

    /// <summary>A group has no sides any more: what the gray one subscribed to is forgotten, or is what the group subscribes to now.</summary>
    internal void EndSides(string name, bool grayStays)
    {
        lock (_changing)
        {
            if (Find(name) is { } group)
            {
                if (grayStays && group.GraySubscriptions.Count > 0)
                {
                    group.Subscriptions = group.GraySubscriptions;
                }

                group.GraySubscriptions = SubscriptionSet.Empty;
            }
        }
    }

    /// <summary>Takes in what a heartbeat says of one group.</summary>
    /// <exception cref="RemotingException">The connection belongs to too many groups.</exception>
    public JoinOutcome Join(ClientSession session, ConsumerJoin join)
    {
        JoinOutcome outcome;
        ConsumerGroup group;
        lock (_changing)
        {
            _limits.CheckGroups(session.ConsumerGroups, join.Group);
            group = _groups.GetOrAdd(join.Group, static (name, traits) => new ConsumerGroup(name, traits), join.Traits);
            outcome = Join(session, join, group);
        }

        if (outcome.Joined || outcome.TopicsChanged)
        {
            GroupChanged?.Invoke(group);
        }

        return outcome;
    }

    /// <summary>A client says that it leaves a group: it is not remembered.</summary>
    public void Leave(ClientSession session, string group)
    {
        lock (_changing)
        {
            session.ConsumerGroups.Remove(group);
            if (Find(group) is not { } found || found.FindClient(session) is not { } client)
            {
                return;
            }

            Remove(found, client, remember: false, "it unregistered");
        }

        RaiseChanged(group);
    }

    /// <summary>A connection has ended: its client leaves all its groups, and is remembered for a while.</summary>
    public void LeaveAll(ClientSession session, string reason = "its connection ended")
    {
        string[] left;
        lock (_changing)
        {
            left = [.. session.ConsumerGroups];
            session.ConsumerGroups.Clear();
            foreach (string name in left)
            {
                if (Find(name) is { } group && group.FindClient(session) is { } client)
                {
                    Remove(group, client, remember: true, reason);
                }
            }
        }

        foreach (string name in left)
        {
            RaiseChanged(name);
        }
    }

    /// <summary>Closes the connections of clients that have fallen silent, and forgets those that have been gone for too long.</summary>
    public void Expire()
    {
        long now = NowMs();
        foreach (ConsumerGroup group in _groups.Values)
        {
            foreach (ConsumerClient client in group.Clients)
            {
                if (now - client.LastHeartbeatMs > _limits.SilentAfter.TotalMilliseconds)
                {
                    string reason = $"no heartbeat for {_limits.SilentAfter.TotalSeconds} s";
                    LeaveAll(client.Session, reason);
                    client.Connection.Abort(reason);
                }
            }
        }

        lock (_changing)
        {
            foreach (ConsumerGroup group in _groups.Values)
            {
                ForgetExpired(group, now);
            }
        }
    }

    private JoinOutcome Join(ClientSession session, ConsumerJoin join, ConsumerGroup group)
    {
        bool wasOnline = group.IsOnline;
        RememberedClient? remembered = group.Remembered.GetValueOrDefault(join.ClientId);
        bool fingerprintKnown = remembered is not null && remembered.Fingerprint == join.Fingerprint;
        bool resend = remembered is null ? join.Subscriptions is null : !fingerprintKnown;
        SubscriptionSet? subscriptions = join.Subscriptions ?? (fingerprintKnown ? remembered!.Subscriptions : null);

        group.Traits = join.Traits;
        ConsumerClient? client = group.FindClient(session);
        bool joined = client is null || client.ClientId != join.ClientId;
        if (joined)
        {
            if (client is not null)
            {
                Log.ClientIdChanged(_logger, session.Address, group.Name, client.ClientId, join.ClientId);
                Remove(group, client, remember: false, "its connection has another client id now");
            }

            client = new ConsumerClient(session, join.ClientId, subscriptions ?? SubscriptionSet.Empty, NowMs());
            group.Add(client);
            session.ConsumerGroups.Add(group.Name);
            _groups.TryAdd(group.Name, group);
            Log.ConsumerJoined(_logger, session, group.Name);
        }

        client!.Heard(NowMs());
        client.GrayFlag = join.GrayFlag;
        bool topicsChanged = false;
        if (subscriptions is not null)
        {
            client.Subscriptions = subscriptions;
            topicsChanged = !IsOut(group, client)
                && (IsGray is { } isGray && isGray(group, client)
                    ? SubscribeGray(group, subscriptions)
                    : Subscribe(group, subscriptions, wasOnline));
            if (!fingerprintKnown || !remembered!.Subscriptions.SameAs(subscriptions) || remembered.Traits != join.Traits)
            {
                Remember(group, new RememberedClient(
                    group.Name, join.ClientId, join.Fingerprint, join.Traits, subscriptions, NowMs()));
            }
        }

        return new JoinOutcome(joined, topicsChanged, resend);
    }

    private bool Subscribe(ConsumerGroup group, SubscriptionSet subscriptions, bool wasOnline)
    {
        // Nobody is there to compare clocks with: what the first client says counts, whatever its versions are.
        SubscriptionSet before = wasOnline ? group.Subscriptions : SubscriptionSet.Empty;
        SubscriptionSet after = before.UpdatedBy(subscriptions, out bool topicsChanged);
        if (!ReferenceEquals(group.Subscriptions, after))
        {
            group.Subscriptions = after;
            SubscriptionsChanged?.Invoke(group.Name);
        }

        if (topicsChanged && _logger.IsEnabled(LogLevel.Information))
        {
            Log.SubscriptionsChanged(
                _logger, group.Name, string.Join(", ", after.All.Select(each => $"{each.Topic} ({each.Data.SubString})")));
        }

        return topicsChanged;
    }

    private static bool SubscribeGray(ConsumerGroup group, SubscriptionSet subscriptions)
    {
        group.GraySubscriptions = group.GraySubscriptions.UpdatedBy(subscriptions, out bool topicsChanged);
        return topicsChanged;
    }

    private void Remove(ConsumerGroup group, ConsumerClient client, bool remember, string reason)
    {
        if (!group.Remove(client))
        {
            return;
        }

        Log.ConsumerLeft(_logger, client.Session, group.Name, reason);
        if (group.FindClient(client.ClientId) is null && group.Remembered.TryGetValue(client.ClientId, out RememberedClient? memory))
        {
            // A retired client is nobody whose subscriptions the group should have after a restart.
            if (remember && _remembered <= _limits.MaxRemembered && !IsOut(group, client))
            {
                group.Remembered[client.ClientId] = memory with { LastSeenMs = NowMs() };
            }
            else
            {
                Forget(group, client.ClientId);
            }
        }

        DropIfEmpty(group);
    }

    private void ForgetExpired(ConsumerGroup group, long now)
    {
        foreach (RememberedClient memory in group.Remembered.Values.ToArray())
        {
            if (now - memory.LastSeenMs > _limits.RememberFor.TotalMilliseconds && group.FindClient(memory.ClientId) is null)
            {
                Forget(group, memory.ClientId);
            }
        }

        DropIfEmpty(group);
    }

    private void DropIfEmpty(ConsumerGroup group)
    {
        if (!group.IsOnline && group.Remembered.Count == 0)
        {
            _groups.TryRemove(group.Name, out _);
            SubscriptionsChanged?.Invoke(group.Name);
        }
    }

    private void Remember(ConsumerGroup group, RememberedClient client)
    {
        _remembered += group.Remembered.ContainsKey(client.ClientId) ? 0 : 1;
        group.Remembered[client.ClientId] = client;
        MemoryChanged?.Invoke(new RememberedKey(group.Name, client.ClientId), client);
    }

    private void Forget(ConsumerGroup group, string clientId)
    {
        group.Remembered.Remove(clientId);
        _remembered--;
        MemoryChanged?.Invoke(new RememberedKey(group.Name, clientId), null);
    }

    private void RaiseChanged(string name)
    {
        if (Find(name) is { IsOnline: true } group)
        {
            GroupChanged?.Invoke(group);
        }
    }

    private bool IsOut(ConsumerGroup group, ConsumerClient client) => IsRetired?.Invoke(group, client) == true;

    // What clients that are remembered subscribed to, the newest last.
    private static SubscriptionSet Remembered(ConsumerGroup group, Func<string, bool> isOne) => group.Remembered.Values
        .Where(client => isOne(client.ClientId))
        .OrderBy(client => NewestVersion(client.Subscriptions))
        .Aggregate(SubscriptionSet.Empty, static (all, client) => all.UpdatedBy(client.Subscriptions, out _));

    private long NowMs() => _time.GetUtcNow().ToUnixTimeMilliseconds();

    private static long NewestVersion(SubscriptionSet set) => set.All.Select(each => each.SubVersion).DefaultIfEmpty().Max();
}
