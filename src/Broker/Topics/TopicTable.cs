using System.Collections.Concurrent;
using System.Net;
using System.Text;
using GrayMQ.Broker.Metadata;
using GrayMQ.Broker.Names;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Names;
using GrayMQ.Remoting.Dispatch;
using GrayMQ.Store.KeyValue;
using Microsoft.Extensions.Logging;

namespace GrayMQ.Broker.Topics;

/// <summary>
/// The topics of this broker (RocketMQ: TopicConfigManager). Look-ups take no lock and allocate nothing; changes are made one
/// after the other, are on the disk before anyone sees them, and are told to <see cref="Changed"/> afterwards.
/// </summary>
public sealed class TopicTable
{
    internal const string VersionName = "topics";

    private readonly ConcurrentDictionary<string, Topic> _topics = new(Utf8NameComparer.Instance);
    private readonly ConcurrentDictionary<string, Topic>.AlternateLookup<ReadOnlySpan<byte>> _topicsByUtf8;
    private readonly MetadataStore _store;
    private readonly TopicOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly Lock _changes = new();
    private DataVersion _version;

    private TopicTable(MetadataStore store, TopicOptions options, TimeProvider time, ILogger logger)
    {
        _store = store;
        _options = options;
        _time = time;
        _logger = logger;
        _topicsByUtf8 = _topics.GetAlternateLookup<ReadOnlySpan<byte>>();
        SystemTopics = new SystemTopics(options);
    }

    /// <summary>Raised after each change, by the thread that made it, without a lock held.</summary>
    public event Action<TopicChange>? Changed;

    /// <summary>The topics that are the broker's own.</summary>
    public SystemTopics SystemTopics { get; }

    public int Count => _topics.Count;

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

    /// <summary>Reads the topics and creates those of the system that are missing.</summary>
    /// <exception cref="MetadataException">A topic on disk is broken.</exception>
    public static TopicTable Open(MetadataStore store, TopicOptions options, TimeProvider time, ILoggerFactory logs)
    {
        var table = new TopicTable(store, options, time, logs.CreateLogger<TopicTable>());
        table.Load();
        return table;
    }

    public Topic? Find(ReadOnlySpan<byte> utf8Name) => _topicsByUtf8.TryGetValue(utf8Name, out Topic? topic) ? topic : null;

    public Topic? Find(string name) => _topics.GetValueOrDefault(name);

    /// <summary>All topics in ordinal order, and their version.</summary>
    public (DataVersion Version, IReadOnlyList<Topic> Topics) Snapshot()
    {
        lock (_changes)
        {
            return (_version, [.. _topics.Values.OrderBy(topic => topic.Name, StringComparer.Ordinal)]);
        }
    }

    /// <summary>The table as it travels and as topics.json holds it.</summary>
    public TopicConfigSerializeWrapper ToWrapper()
    {
        (DataVersion version, IReadOnlyList<Topic> topics) = Snapshot();
        return new TopicConfigSerializeWrapper
        {
            DataVersion = version,
            TopicConfigTable = topics.ToDictionary(topic => topic.Name, topic => topic.Config, StringComparer.Ordinal),
        };
    }

    /// <summary>
    /// Creates a topic because someone sends to it (RocketMQ: createTopicInSendMessageMethod): as its template says, with at most as
    /// many queues as the producer wants. The topic itself when it exists meanwhile.
    /// </summary>
    /// <param name="template">Name of the topic to take after, mostly TBW102.</param>
    /// <param name="unitMode">Whether the producer belongs to a unit; kept in the topic's flags.</param>
    /// <returns>Null when there is no such template, or it is not to be inherited, or the name is not a topic's.</returns>
    public Topic? CreateOnSend(string name, string template, int queueNums, bool unitMode, EndPoint? producer)
    {
        Topic topic;
        TopicChange change;
        lock (_changes)
        {
            if (Find(name) is { } existing)
            {
                return existing;
            }

            if (TopicNames.Problem(name) is { } problem)
            {
                Log.TopicNotCreated(_logger, name, template, producer, problem);
                return null;
            }

            if (Find(template)?.Config is not { } from)
            {
                Log.TopicNotCreated(_logger, name, template, producer, "there is no such template");
                return null;
            }

            if (!TopicPermission.IsInherited(from.Perm)
                || (template == TopicNames.AutoCreateTemplate && !_options.AutoCreateTopicEnable))
            {
                Log.TopicNotCreated(_logger, name, template, producer, "the template is not to be inherited");
                return null;
            }

            int queues = Math.Max(0, Math.Min(queueNums, from.WriteQueueNums));
            var config = new TopicConfig
            {
                TopicName = name,
                ReadQueueNums = queues,
                WriteQueueNums = queues,
                Perm = from.Perm & ~TopicPermission.Inherit,
                TopicFilterType = from.TopicFilterType,
                TopicSysFlag = !unitMode ? 0 : IsRetry(name) ? TopicSysFlags.UnitSubscription : TopicSysFlags.Unit,
            };
            change = Save([config], []);
            topic = change.Put[0];
            Log.TopicCreatedOnSend(_logger, Text(config), template, producer);
        }

        Changed?.Invoke(change);
        return topic;
    }

    /// <summary>
    /// The topic, created when it is not there: for topics that belong to a group, like %RETRY% and %DLQ%
    /// (RocketMQ: createTopicInSendMessageBackMethod). Their names may be longer than those that people choose.
    /// </summary>
    public Topic CreateOnSendBack(
        string name, int queueNums, int permission = TopicPermission.ReadWrite, bool order = false, int topicSysFlag = 0)
    {
        // Heartbeats ask each time: they do not wait for others' changes.
        if (Find(name) is { } known && known.Config.Order == order)
        {
            return known;
        }

        Topic topic;
        TopicChange change;
        lock (_changes)
        {
            TopicConfig config;
            if (Find(name) is { } existing)
            {
                if (existing.Config.Order == order)
                {
                    return existing;
                }

                config = existing.Config with { Order = order };
            }
            else
            {
                config = new TopicConfig
                {
                    TopicName = name,
                    ReadQueueNums = queueNums,
                    WriteQueueNums = queueNums,
                    Perm = permission,
                    Order = order,
                    TopicSysFlag = topicSysFlag,
                };
            }

            change = Save([config], []);
            topic = change.Put[0];
            Log.TopicPut(_logger, Text(config));
        }

        Changed?.Invoke(change);
        return topic;
    }

    /// <summary>
    /// Creates or updates topics, all or none (RocketMQ: updateTopicConfigList). Attributes are modifications:
    /// their keys begin with a sign.
    /// </summary>
    /// <exception cref="RemotingException">A topic is not as a topic has to be; nothing has changed.</exception>
    public void Put(params IReadOnlyCollection<TopicConfig> configs)
    {
        TopicChange change;
        lock (_changes)
        {
            var changed = new List<TopicConfig>(configs.Count);
            foreach (TopicConfig given in configs)
            {
                Validate(given);
                TopicConfig? current = Find(given.TopicName)?.Config;
                TopicConfig config = given with { Attributes = TopicAttributes.All.Alter(current?.Attributes, given.Attributes) };
                if (!config.Equals(current))
                {
                    changed.Add(config);
                }
            }

            if (changed.Count == 0)
            {
                return;
            }

            change = Save(changed, []);
            foreach (TopicConfig config in changed)
            {
                Log.TopicPut(_logger, Text(config));
            }
        }

        Changed?.Invoke(change);
    }

    /// <summary>Keeps the order of queues from now on, for those of the topics that are here and do not yet.</summary>
    public void KeepOrder(IEnumerable<string> names)
    {
        TopicChange change;
        lock (_changes)
        {
            List<TopicConfig> configs =
                [.. names.Select(Find).OfType<Topic>().Where(topic => !topic.Config.Order).Select(topic => topic.Config with { Order = true })];
            if (configs.Count == 0)
            {
                return;
            }

            change = Save(configs, []);
        }

        Changed?.Invoke(change);
    }

    /// <summary>
    /// Remembers, over restarts too, that somebody counts on the order in the topic's queues. The version grows, for what is told of the topic
    /// elsewhere may depend on that.
    /// </summary>
    public void NoteOrder(Topic topic)
    {
        TopicChange change;
        lock (_changes)
        {
            if (topic.IsUsedInOrder || Find(topic.Name) != topic)
            {
                return;
            }

            topic.IsUsedInOrder = true;
            try
            {
                _store.Values.Put(_store.OrderedTopics, topic.NameUtf8.Span, []);
                change = Save([], []);
                Log.OrderNoted(_logger, topic.Name);
            }
            catch (KeyValueStoreException e)
            {
                // It counts for as long as this process lives.
                Log.OrderNotNoted(_logger, e, topic.Name);
                return;
            }
        }

        Changed?.Invoke(change);
    }

    /// <summary>Raises the version, though no topic has changed: what is told of them elsewhere has.</summary>
    public void RaiseVersion()
    {
        TopicChange change;
        lock (_changes)
        {
            change = Save([], []);
        }

        Changed?.Invoke(change);
    }

    /// <summary>Deletes the topic's configuration, not what was sent to it; false when there is none.</summary>
    public bool Delete(string name)
    {
        TopicChange change;
        lock (_changes)
        {
            if (Find(name) is null)
            {
                return false;
            }

            change = Save([], [name]);
            Log.TopicDeleted(_logger, name);
        }

        Changed?.Invoke(change);
        return true;
    }

    private static bool IsRetry(string name) => name.StartsWith(TopicNames.RetryPrefix, StringComparison.Ordinal);

    private void Load()
    {
        foreach (KeyValueEntry entry in _store.Values.Scan(_store.Topics))
        {
            var config = _store.Decode<TopicConfig>(_store.Topics, entry.Key, entry.Value);
            if (!Encoding.UTF8.GetBytes(config.TopicName).AsSpan().SequenceEqual(entry.Key))
            {
                throw _store.Broken(_store.Topics, entry.Key, $"the topic in it is named {config.TopicName}");
            }

            _topics[config.TopicName] = new Topic(config, SystemTopics.Contains(config.TopicName));
        }

        foreach (KeyValueEntry entry in _store.Values.Scan(_store.OrderedTopics))
        {
            if (Find(entry.Key) is { } topic)
            {
                topic.IsUsedInOrder = true;
            }
        }

        DataVersion? saved = _store.ReadVersion(VersionName);
        _version = saved ?? new DataVersion(0, 0, _time.GetUtcNow().ToUnixTimeMilliseconds());
        List<TopicConfig> missing = [.. SystemTopics.Configs.Where(config => !_topics.ContainsKey(config.TopicName))];
        if (Find(TopicNames.AutoCreateTemplate)?.Config is { } template
            && TopicPermission.IsInherited(template.Perm) != _options.AutoCreateTopicEnable)
        {
            // The template is inherited when the setting says so, whatever it said at the last start.
            missing.Add(template with { Perm = template.Perm ^ TopicPermission.Inherit });
        }

        if (missing.Count > 0)
        {
            Save(missing, []);
        }
    }

    private void Validate(TopicConfig config)
    {
        if (TopicNames.Problem(config.TopicName) is { } problem)
        {
            throw Invalid(problem);
        }

        if (!TopicPermission.IsValid(config.Perm))
        {
            throw Invalid($"the permission {config.Perm} of topic[{config.TopicName}] is not one of 0 to {TopicPermission.All}");
        }

        if (config.ReadQueueNums is < 0 or > TopicOptions.MaxQueueNums || config.WriteQueueNums is < 0 or > TopicOptions.MaxQueueNums)
        {
            throw Invalid(
                $"topic[{config.TopicName}] cannot have {config.ReadQueueNums} read and {config.WriteQueueNums} write queues, "
                + $"at most {TopicOptions.MaxQueueNums}");
        }

        if (!_options.EnableMixedMessageType
            && config.Attributes.GetValueOrDefault("+" + TopicAttributes.MessageType) == TopicAttributes.Mixed)
        {
            throw Invalid("MIXED message type is not supported.");
        }
    }

    // Under the lock. What cannot be written to the disk has not happened.
    private TopicChange Save(List<TopicConfig> put, List<string> deleted)
    {
        DataVersion version = _version.Next(_time.GetUtcNow().ToUnixTimeMilliseconds());
        using (KeyValueBatch batch = _store.Values.NewBatch())
        {
            foreach (TopicConfig config in put)
            {
                batch.Put(_store.Topics, Encoding.UTF8.GetBytes(config.TopicName), BodyCodec.Encode(config));
            }

            foreach (string name in deleted)
            {
                batch.Delete(_store.Topics, Encoding.UTF8.GetBytes(name));
                batch.Delete(_store.OrderedTopics, Encoding.UTF8.GetBytes(name));
            }

            _store.PutVersion(batch, VersionName, version);
            _store.Values.Write(batch, sync: true);
        }

        _version = version;
        var topics = new List<Topic>(put.Count);
        foreach (TopicConfig config in put)
        {
            if (Find(config.TopicName) is { } topic)
            {
                topic.Config = config;
            }
            else
            {
                _topics[config.TopicName] = topic = new Topic(config, SystemTopics.Contains(config.TopicName));
            }

            topics.Add(topic);
        }

        foreach (string name in deleted)
        {
            _topics.TryRemove(name, out _);
        }

        return new TopicChange(topics, deleted, version);
    }

    private static RemotingException Invalid(string remark) => new(ResponseCode.InvalidParameter, remark);

    private static string Text(TopicConfig config) => Encoding.UTF8.GetString(BodyCodec.Encode(config));
}
