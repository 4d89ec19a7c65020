using System.Collections.Concurrent;
using System.Text;
using GrayMQ.Broker.Metadata;
using GrayMQ.Broker.Names;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Names;
using GrayMQ.Remoting.Dispatch;
using GrayMQ.Store.KeyValue;
using Microsoft.Extensions.Logging;

namespace GrayMQ.Broker.Groups;

/// <summary>
/// The consumer groups of this broker (RocketMQ: SubscriptionGroupManager). Look-ups take no lock and allocate nothing; changes
/// are made one after the other and are on the disk before anyone sees them. A configuration that was handed out never changes.
/// </summary>
public sealed class SubscriptionGroupTable
{
    internal const string VersionName = "groups";

    // No attribute of groups is known to RocketMQ 5.3.3.
    private static readonly AttributeSet Attributes = new();

    private static readonly string[] SystemGroups =
    [
        GroupNames.Tools, GroupNames.FilterServer, GroupNames.SelfTest, GroupNames.HttpProxy, GroupNames.OnsPull,
        GroupNames.OnsPermission, GroupNames.OnsOwner, GroupNames.Transaction,
    ];

    private readonly ConcurrentDictionary<string, SubscriptionGroupConfig> _groups = new(Utf8NameComparer.Instance);
    private readonly ConcurrentDictionary<string, SubscriptionGroupConfig>.AlternateLookup<ReadOnlySpan<byte>> _groupsByUtf8;

    // Bits of permissions that are taken away, of the few groups and topics that have any.
    private readonly ConcurrentDictionary<GroupTopic, int> _forbidden = new(GroupTopicComparer.Instance);
    private readonly ConcurrentDictionary<GroupTopic, int>.AlternateLookup<GroupTopicUtf8> _forbiddenByUtf8;
    private readonly MetadataStore _store;
    private readonly GroupOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly Lock _changes = new();
    private volatile bool _anyForbidden;
    private DataVersion _version;

    private SubscriptionGroupTable(MetadataStore store, GroupOptions options, TimeProvider time, ILogger logger)
    {
        _store = store;
        _options = options;
        _time = time;
        _logger = logger;
        _groupsByUtf8 = _groups.GetAlternateLookup<ReadOnlySpan<byte>>();
        _forbiddenByUtf8 = _forbidden.GetAlternateLookup<GroupTopicUtf8>();
    }

    /// <summary>Raised after each change, by the thread that made it, without a lock held.</summary>
    public event Action<GroupChange>? Changed;

    public int Count => _groups.Count;

    /// <summary>Grows with each change.</summary>
    public DataVersion Version
    {
        get
        {
            lock (_changes)
            {
                return _version;
            }
        }
    }

    /// <summary>Reads the groups and creates those of the system that are missing.</summary>
    /// <exception cref="MetadataException">A group on disk is broken.</exception>
    public static SubscriptionGroupTable Open(
        MetadataStore store, GroupOptions options, TimeProvider time, ILoggerFactory logs)
    {
        var table = new SubscriptionGroupTable(store, options, time, logs.CreateLogger<SubscriptionGroupTable>());
        table.Load();
        return table;
    }

    /// <summary>
    /// The group that a client names, created where the settings say so (RocketMQ: findSubscriptionGroupConfig). Null when it neither
    /// exists nor may be created, or when that is no name of a group.
    /// </summary>
    public SubscriptionGroupConfig? Find(ReadOnlySpan<byte> utf8Name) =>
        _groupsByUtf8.TryGetValue(utf8Name, out SubscriptionGroupConfig? group) ? group
        : GroupNames.Problem(utf8Name) is null ? CreateOnUse(Encoding.ASCII.GetString(utf8Name))
        : null;

    /// <inheritdoc cref="Find(ReadOnlySpan{byte})"/>
    public SubscriptionGroupConfig? Find(string name) =>
        _groups.TryGetValue(name, out SubscriptionGroupConfig? group) ? group
        : GroupNames.Problem(name) is null ? CreateOnUse(name)
        : null;

    /// <summary>The group, or null: never creates it.</summary>
    public SubscriptionGroupConfig? FindExisting(string name) => _groups.GetValueOrDefault(name);

    /// <inheritdoc cref="FindExisting(string)"/>
    public SubscriptionGroupConfig? FindExisting(ReadOnlySpan<byte> utf8Name) =>
        _groupsByUtf8.TryGetValue(utf8Name, out SubscriptionGroupConfig? group) ? group : null;

    /// <summary>Whether the group is kept from reading the topic (RocketMQ: getForbidden with INDEX_PERM_READ).</summary>
    public bool IsReadForbidden(ReadOnlySpan<byte> utf8Group, ReadOnlySpan<byte> utf8Topic) =>
        _anyForbidden
        && _forbiddenByUtf8.TryGetValue(new GroupTopicUtf8(utf8Group, utf8Topic), out int bits)
        && TopicPermission.IsReadable(bits);

    /// <inheritdoc cref="IsReadForbidden(ReadOnlySpan{byte}, ReadOnlySpan{byte})"/>
    public bool IsReadForbidden(string group, string topic) =>
        TopicPermission.IsReadable(_forbidden.GetValueOrDefault(new GroupTopic(group, topic)));

    /// <summary>All groups in ordinal order, and their version.</summary>
    public (DataVersion Version, IReadOnlyList<SubscriptionGroupConfig> Groups) Snapshot()
    {
        lock (_changes)
        {
            return (_version, [.. _groups.Values.OrderBy(group => group.GroupName, StringComparer.Ordinal)]);
        }
    }

    /// <summary>The table as it travels and as subscriptionGroup.json holds it.</summary>
    public SubscriptionGroupWrapper ToWrapper()
    {
        lock (_changes)
        {
            (DataVersion version, IReadOnlyList<SubscriptionGroupConfig> groups) = Snapshot();
            return new SubscriptionGroupWrapper
            {
                DataVersion = version,
                ForbiddenTable = _forbidden.GroupBy(pair => pair.Key.Group, StringComparer.Ordinal)
                    .OrderBy(group => group.Key, StringComparer.Ordinal)
                    .ToDictionary(group => group.Key, group => ForbiddenTopics(group.Key), StringComparer.Ordinal),
                SubscriptionGroupTable = groups.ToDictionary(group => group.GroupName, StringComparer.Ordinal),
            };
        }
    }

    /// <summary>Creates or updates groups, all or none. Attributes are modifications: their keys begin with a sign.</summary>
    /// <exception cref="RemotingException">A group is not as a group has to be; nothing has changed.</exception>
    public void Put(params IReadOnlyCollection<SubscriptionGroupConfig> configs)
    {
        GroupChange change;
        lock (_changes)
        {
            var changed = new List<SubscriptionGroupConfig>(configs.Count);
            foreach (SubscriptionGroupConfig given in configs)
            {
                Validate(given);
                changed.Add(given with
                {
                    Attributes = Attributes.Alter(FindExisting(given.GroupName)?.Attributes, given.Attributes),
                });
            }

            if (changed.Count == 0)
            {
                return;
            }

            change = Save(changed, []);
            foreach (SubscriptionGroupConfig config in changed)
            {
                Log.GroupPut(_logger, Text(config));
            }
        }

        Changed?.Invoke(change);
    }

    /// <summary>Keeps the group from consuming, or no longer; false when there is none.</summary>
    public bool EnableConsuming(string name, bool enable)
    {
        GroupChange change;
        lock (_changes)
        {
            if (FindExisting(name) is not { } group)
            {
                return false;
            }

            change = Save([group with { ConsumeEnable = enable }], []);
            Log.GroupPut(_logger, Text(change.Put[0]));
        }

        Changed?.Invoke(change);
        return true;
    }

    /// <summary>Deletes the group's configuration and what it was forbidden; false when there is none.</summary>
    public bool Delete(string name)
    {
        GroupChange change;
        lock (_changes)
        {
            if (FindExisting(name) is null && ForbiddenTopics(name).Count == 0)
            {
                return false;
            }

            change = Save([], [name]);
            Log.GroupDeleted(_logger, name);
        }

        Changed?.Invoke(change);
        return true;
    }

    /// <summary>
    /// Keeps the group from reading the topic, or no longer. Unlike RocketMQ, which then forgets what else the group is
    /// forbidden, lifting the last bit of one topic leaves the others alone.
    /// </summary>
    public void ForbidReading(string group, string topic, bool forbid)
    {
        lock (_changes)
        {
            Dictionary<string, int> topics = ForbiddenTopics(group);
            int bits = topics.GetValueOrDefault(topic);
            int altered = forbid ? bits | TopicPermission.Read : bits & ~TopicPermission.Read;
            if (altered == bits)
            {
                return;
            }

            topics[topic] = altered;
            if (altered == 0)
            {
                topics.Remove(topic);
            }

            SaveForbidden(group, topics);
            if (altered == 0)
            {
                _forbidden.TryRemove(new GroupTopic(group, topic), out _);
            }
            else
            {
                _forbidden[new GroupTopic(group, topic)] = altered;
            }

            _anyForbidden = !_forbidden.IsEmpty;
            Log.GroupForbidden(_logger, group, topic, bits, altered);
        }
    }

    private SubscriptionGroupConfig? CreateOnUse(string name)
    {
        bool allowed = _options.AutoCreateSubscriptionGroup
            || (_options.EnableCreateSysGroup && name.StartsWith(GroupNames.SystemPrefix, StringComparison.Ordinal));
        if (!allowed)
        {
            return null;
        }

        GroupChange change;
        lock (_changes)
        {
            if (FindExisting(name) is { } existing)
            {
                return existing;
            }

            change = Save([new SubscriptionGroupConfig { GroupName = name }], []);
            Log.GroupCreatedOnUse(_logger, name);
        }

        Changed?.Invoke(change);
        return change.Put[0];
    }

    private void Load()
    {
        foreach (KeyValueEntry entry in _store.Values.Scan(_store.Groups))
        {
            var config = _store.Decode<SubscriptionGroupConfig>(_store.Groups, entry.Key, entry.Value);
            if (!Encoding.UTF8.GetBytes(config.GroupName).AsSpan().SequenceEqual(entry.Key))
            {
                throw _store.Broken(_store.Groups, entry.Key, $"the group in it is named {config.GroupName}");
            }

            _groups[config.GroupName] = config;
        }

        foreach (KeyValueEntry entry in _store.Values.Scan(_store.GroupForbidden))
        {
            string group = Encoding.UTF8.GetString(entry.Key);
            foreach ((string topic, int bits) in _store.Decode<Dictionary<string, int>>(_store.GroupForbidden, entry.Key, entry.Value))
            {
                _forbidden[new GroupTopic(group, topic)] = bits;
            }
        }

        _anyForbidden = !_forbidden.IsEmpty;
        _version = _store.ReadVersion(VersionName) ?? new DataVersion(0, 0, _time.GetUtcNow().ToUnixTimeMilliseconds());
        List<SubscriptionGroupConfig> missing =
            [.. SystemGroups.Where(name => !_groups.ContainsKey(name)).Select(name => new SubscriptionGroupConfig { GroupName = name })];
        if (missing.Count > 0)
        {
            Save(missing, []);
        }
    }

    private static void Validate(SubscriptionGroupConfig config)
    {
        if (GroupNames.Problem(config.GroupName) is { } problem)
        {
            throw new RemotingException(ResponseCode.InvalidParameter, problem);
        }

        if (config.RetryQueueNums is < 0 or > GroupOptions.MaxRetryQueueNums)
        {
            throw new RemotingException(
                ResponseCode.InvalidParameter,
                $"group[{config.GroupName}] cannot have {config.RetryQueueNums} retry queues, at most {GroupOptions.MaxRetryQueueNums}");
        }
    }

    // Under the lock. What cannot be written to the disk has not happened.
    private GroupChange Save(List<SubscriptionGroupConfig> put, List<string> deleted)
    {
        DataVersion version = NextVersion();
        using (KeyValueBatch batch = _store.Values.NewBatch())
        {
            foreach (SubscriptionGroupConfig config in put)
            {
                batch.Put(_store.Groups, Encoding.UTF8.GetBytes(config.GroupName), BodyCodec.Encode(config));
            }

            foreach (string name in deleted)
            {
                byte[] key = Encoding.UTF8.GetBytes(name);
                batch.Delete(_store.Groups, key);
                batch.Delete(_store.GroupForbidden, key);
            }

            _store.PutVersion(batch, VersionName, version);
            _store.Values.Write(batch, sync: true);
        }

        _version = version;
        foreach (SubscriptionGroupConfig config in put)
        {
            _groups[config.GroupName] = config;
        }

        foreach (string name in deleted)
        {
            _groups.TryRemove(name, out _);
            foreach (string topic in ForbiddenTopics(name).Keys)
            {
                _forbidden.TryRemove(new GroupTopic(name, topic), out _);
            }
        }

        _anyForbidden = !_forbidden.IsEmpty;
        return new GroupChange(put, deleted, version);
    }

    private void SaveForbidden(string group, Dictionary<string, int> topics)
    {
        DataVersion version = NextVersion();
        byte[] key = Encoding.UTF8.GetBytes(group);
        using (KeyValueBatch batch = _store.Values.NewBatch())
        {
            if (topics.Count == 0)
            {
                batch.Delete(_store.GroupForbidden, key);
            }
            else
            {
                batch.Put(_store.GroupForbidden, key, BodyCodec.Encode(topics));
            }

            _store.PutVersion(batch, VersionName, version);
            _store.Values.Write(batch, sync: true);
        }

        _version = version;
    }

    private Dictionary<string, int> ForbiddenTopics(string group) =>
        _forbidden.Where(pair => pair.Key.Group == group).ToDictionary(pair => pair.Key.Topic, pair => pair.Value, StringComparer.Ordinal);

    private DataVersion NextVersion() => _version.Next(_time.GetUtcNow().ToUnixTimeMilliseconds());

    private static string Text(SubscriptionGroupConfig config) => Encoding.UTF8.GetString(BodyCodec.Encode(config));
}
