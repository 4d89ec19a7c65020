using GrayMQ.NameServer.Drains;
using GrayMQ.NameServer.Returns;
using GrayMQ.Protocol.Bodies;
using Microsoft.Extensions.Logging;

namespace GrayMQ.NameServer.Routes;

/// <summary>
/// Brokers come, stay and go: who is let in, what they bring, and what goes with them. What has to be told to brokers is
/// returned, not sent.
/// </summary>
/// <param name="known">Remembers who is registered; null remembers nobody.</param>
internal sealed class BrokerRegistry(
    RouteState state, LiveOptions options, DrainLeases leases, ILogger logger, KnownBrokers? known = null)
{
    /// <summary>Takes a node with what it says, or refuses it.</summary>
    public RegistrationResult Register(BrokerRegistration registration)
    {
        lock (state.Lock)
        {
            state.Groups.TryFind(registration.BrokerName, out BrokerGroup? group);
            string? oldAddress = null;
            group?.Addresses.TryGetValue(registration.BrokerId, out oldAddress);
            if (oldAddress is not null && IsOutranked(registration, oldAddress))
            {
                state.Live.Remove(registration.Node);
                return new RegistrationResult();
            }

            if (Refuse(registration, group, oldAddress) is { } refusal)
            {
                Log.RegistrationRefused(logger, registration.Node, registration.BrokerName, registration.BrokerId, refusal);
                return new RegistrationResult(refusal);
            }

            long minBefore = group?.MinBrokerId ?? BrokerData.MasterId;
            group = state.Groups.Place(registration);
            state.Live.TryFind(registration.Node, out LiveBroker? before);
            bool changed = oldAddress is null || before?.Version != registration.Topics.DataVersion;
            bool isMaster = registration.BrokerId == BrokerData.MasterId;
            bool isPrimeSlave = !isMaster && registration.EnableActingMaster is not null
                && registration.BrokerId == group.MinBrokerId;
            if (isMaster || isPrimeSlave)
            {
                bool deleteOthers = options.Current.DeleteTopicWithBrokerRegistration;
                state.Topics.Take(group, registration.Topics, changed, deleteOthers, wipeWrite: isPrimeSlave && group.EnableActingMaster);
            }

            MarkAlive(registration, before);
            MinBrokerIdChange? left = ForgetFormerIdentity(registration, before);
            known?.Registered(registration.Node, registration.BrokerName, registration.BrokerId);
            RegistrationResult result = Answer(group, registration, lowered: registration.BrokerId < minBefore);

            // A node alone in its new group has nobody there to be told.
            return result.Change is null ? result with { Change = left } : result;
        }
    }

    /// <summary>Forgets a node that leaves; returns whom to tell.</summary>
    public IReadOnlyList<MinBrokerIdChange> Unregister(BrokerDeparture departure)
    {
        lock (state.Lock)
        {
            Leave(departure);
            return Remove([departure]);
        }
    }

    /// <summary>
    /// Forgets the nodes whose life was tied to a connection that has ended, but for those that said that they will be back;
    /// returns whom to tell.
    /// </summary>
    public IReadOnlyList<MinBrokerIdChange> UnregisterBy(object connection)
    {
        lock (state.Lock)
        {
            var gone = new List<BrokerDeparture>();
            foreach (BrokerDeparture departure in state.Live.FindBy(connection))
            {
                if (leases.LeaveFor(departure.Node) is { } returnTime)
                {
                    state.Live.Keep(departure.Node, returnTime);
                    Log.RouteKept(
                        logger, departure.Node, departure.BrokerName, departure.BrokerId, (long)returnTime.TotalMilliseconds);
                    continue;
                }

                gone.Add(departure);
                Lose(departure);
                Log.BrokerConnectionClosed(logger, departure.Node, departure.BrokerName, departure.BrokerId);
            }

            return Remove(gone);
        }
    }

    /// <summary>Forgets the nodes that have been silent for too long; returns whom to tell.</summary>
    /// <param name="connections">Their connections, to be closed.</param>
    public IReadOnlyList<MinBrokerIdChange> UnregisterExpired(out IReadOnlyList<object> connections)
    {
        lock (state.Lock)
        {
            var gone = new List<BrokerDeparture>();
            var left = new List<object>();
            TimeSpan timeout = options.Current.BrokerChannelExpiredTime;
            foreach ((BrokerIdentity node, LiveBroker live, TimeSpan silence) in state.Live.FindExpired(timeout))
            {
                Log.BrokerExpired(logger, node, live.BrokerName, live.BrokerId, (long)silence.TotalMilliseconds);
                var departure = new BrokerDeparture(node, live.BrokerName, live.BrokerId);
                gone.Add(departure);
                Lose(departure);
                if (live.Connection is not null)
                {
                    left.Add(live.Connection);
                }
            }

            connections = left;
            return Remove(gone);
        }
    }

    /// <summary>Notes a sign of life; nothing when the node is not registered.</summary>
    public void Touch(BrokerIdentity node)
    {
        lock (state.Lock)
        {
            state.Live.Touch(node);
        }
    }

    /// <summary>The version of the topics that a node registered, or null when it is not registered.</summary>
    public DataVersion? FindVersion(BrokerIdentity node)
    {
        lock (state.Lock)
        {
            return state.Live.TryFind(node, out LiveBroker? live) ? live.Version : null;
        }
    }

    /// <summary>
    /// Whether another node holds this name and id in a newer role: then it keeps them, and this one is not told (RocketMQ:
    /// stateVersion, the epoch that a controller gives).
    /// </summary>
    private bool IsOutranked(BrokerRegistration registration, string oldAddress)
    {
        if (oldAddress == registration.Node.Address
            || !state.Live.TryFind(new BrokerIdentity(registration.Node.Cluster, oldAddress), out LiveBroker? holder)
            || holder.Version.StateVersion <= registration.Topics.DataVersion.StateVersion)
        {
            return false;
        }

        Log.RegistrationOutranked(logger, registration.Node, registration.BrokerName, registration.BrokerId, oldAddress);
        return true;
    }

    private string? Refuse(BrokerRegistration registration, BrokerGroup? group, string? oldAddress)
    {
        // One topic alone is what a registered broker adds when it creates one: it must not stand for all its topics.
        if (oldAddress is null && registration.Topics.TopicConfigTable.Count == 1)
        {
            return "register broker failed";
        }

        if (!state.Live.Contains(registration.Node) && state.Live.Count >= NameServerLimits.MaxNodes)
        {
            return $"{state.Live.Count} brokers are registered, which is the limit";
        }

        if (group is not null && oldAddress is null && group.Addresses.Count >= NameServerLimits.MaxNodesPerBroker)
        {
            return $"{group.Addresses.Count} nodes are registered as {group.Name}, which is the limit";
        }

        int added = registration.Topics.TopicConfigTable.Values.Count(topic => !state.Topics.Contains(topic.TopicName));
        int topics = state.Topics.Count + added;
        return topics > NameServerLimits.MaxTopics ? $"it would make {topics} topics: expected at most {NameServerLimits.MaxTopics}" : null;
    }

    private void MarkAlive(BrokerRegistration registration, LiveBroker? before)
    {
        LiveBroker live = state.Live.Set(registration);
        if (!live.FilterServers.SequenceEqual(before?.FilterServers ?? []))
        {
            state.Groups.Changed();
        }

        if (before is null)
        {
            Log.BrokerRegistered(
                logger, registration.Node, registration.BrokerName, registration.BrokerId, registration.Topics.TopicConfigTable.Count);
        }
    }

    // A slave that has become master is not to be waited for as a slave, and a node that comes back under another name serves nothing under the
    // former one. Returns whom to tell there.
    private MinBrokerIdChange? ForgetFormerIdentity(BrokerRegistration registration, LiveBroker? before)
    {
        if (before is null || (before.BrokerName == registration.BrokerName && before.BrokerId == registration.BrokerId))
        {
            return null;
        }

        Leave(new BrokerDeparture(registration.Node, before.BrokerName, before.BrokerId));
        return before.BrokerName != registration.BrokerName && state.Groups.TryFind(before.BrokerName, out BrokerGroup? former)
            ? RemoveAddress(former, registration.Node.Address)
            : null;
    }

    private void Leave(BrokerDeparture departure)
    {
        if (!IsHeldByAnother(departure))
        {
            known?.Left(departure.Node, departure.BrokerName, departure.BrokerId);
        }
    }

    private void Lose(BrokerDeparture departure)
    {
        if (!IsHeldByAnother(departure))
        {
            known?.Lost(departure.Node, departure.BrokerName, departure.BrokerId);
        }
    }

    // Whether another node has the name and id by now, as a pod that has replaced one with another address: it is waited for as before.
    private bool IsHeldByAnother(BrokerDeparture departure) =>
        state.Groups.TryFind(departure.BrokerName, out BrokerGroup? group)
        && group.Addresses.TryGetValue(departure.BrokerId, out string? holder)
        && holder != departure.Node.Address;

    private RegistrationResult Answer(BrokerGroup group, BrokerRegistration registration, bool lowered)
    {
        MinBrokerIdChange? change = lowered && options.Current.NotifyMinBrokerIdChanged
            ? MinBrokerIdChange.ByArrival(group, registration.HaAddress)
            : null;
        if (registration.BrokerId != BrokerData.MasterId
            && group.Addresses.TryGetValue(BrokerData.MasterId, out string? master)
            && state.Live.TryFind(new BrokerIdentity(registration.Node.Cluster, master), out LiveBroker? live))
        {
            return new RegistrationResult(MasterAddress: master, MasterHaAddress: live.HaAddress, Change: change);
        }

        return new RegistrationResult(Change: change);
    }

    private List<MinBrokerIdChange> Remove(List<BrokerDeparture> departures) =>
        [.. departures.Select(Remove).OfType<MinBrokerIdChange>()];

    private MinBrokerIdChange? Remove(BrokerDeparture departure)
    {
        bool wasAlive = state.Live.Remove(departure.Node);
        if (!state.Groups.TryFind(departure.BrokerName, out BrokerGroup? group))
        {
            Log.UnknownBrokerLeft(logger, departure.Node, departure.BrokerName);
            return null;
        }

        if (wasAlive)
        {
            Log.BrokerUnregistered(logger, departure.Node, group.Name, departure.BrokerId);
        }

        return RemoveAddress(group, departure.Node.Address);
    }

    // Another node may have taken its place under the name already.
    private MinBrokerIdChange? RemoveAddress(BrokerGroup group, string address)
    {
        long minBefore = group.MinBrokerId;
        state.Groups.RemoveAddress(group, address);
        if (group.Addresses.Count == 0)
        {
            state.Topics.RemoveAll(group);
            state.Groups.Remove(group);
            return null;
        }

        if (group.EnableActingMaster && !group.HasMaster)
        {
            state.Topics.SetWritable(group, writable: false);
        }

        return group.MinBrokerId != minBefore && group.EnableActingMaster && options.Current.NotifyMinBrokerIdChanged
            ? MinBrokerIdChange.ByDeparture(group, address)
            : null;
    }
}
