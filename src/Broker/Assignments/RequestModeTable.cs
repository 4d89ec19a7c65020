using System.Collections.Concurrent;
using System.Text;
using GrayMQ.Broker.Metadata;
using GrayMQ.Broker.Names;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Store.KeyValue;
using Microsoft.Extensions.Logging;

namespace GrayMQ.Broker.Assignments;

/// <summary>
/// Whether groups pull or pop topics, where an administrator has said so (RocketMQ: MessageRequestModeManager). Changes are on the disk
/// before anyone sees them.
/// </summary>
public sealed class RequestModeTable
{
    private readonly ConcurrentDictionary<GroupTopic, SetMessageRequestModeRequestBody> _modes = new(GroupTopicComparer.Instance);
    private readonly MetadataStore _store;
    private readonly ILogger _logger;
    private readonly Lock _changes = new();

    private RequestModeTable(MetadataStore store, ILogger logger)
    {
        _store = store;
        _logger = logger;
    }

    /// <exception cref="MetadataException">An entry on disk is broken.</exception>
    public static RequestModeTable Open(MetadataStore store, ILoggerFactory logs)
    {
        var table = new RequestModeTable(store, logs.CreateLogger<RequestModeTable>());
        foreach (KeyValueEntry entry in store.Values.Scan(store.RequestModes))
        {
            var mode = store.Decode<SetMessageRequestModeRequestBody>(store.RequestModes, entry.Key, entry.Value);
            var name = new GroupTopic(mode.ConsumerGroup, mode.Topic);
            if (!KeyOf(name).AsSpan().SequenceEqual(entry.Key))
            {
                throw store.Broken(store.RequestModes, entry.Key, $"it is of {name}");
            }

            table._modes[name] = mode;
        }

        return table;
    }

    /// <summary>What was set; null when nothing was.</summary>
    public SetMessageRequestModeRequestBody? Find(string group, string topic) => _modes.GetValueOrDefault(new GroupTopic(group, topic));

    public void Put(SetMessageRequestModeRequestBody mode)
    {
        var name = new GroupTopic(mode.ConsumerGroup, mode.Topic);
        lock (_changes)
        {
            _store.Values.Put(_store.RequestModes, KeyOf(name), BodyCodec.Encode(mode), sync: true);
            _modes[name] = mode;
        }

        Log.RequestModeSet(_logger, mode.ConsumerGroup, mode.Topic, mode.Mode, mode.PopShareQueueNum);
    }

    /// <summary>Forgets what was set for a topic that is gone.</summary>
    public void RemoveTopic(string topic) => Remove(name => name.Topic == topic);

    /// <summary>Forgets what was set for a group that is gone.</summary>
    public void RemoveGroup(string group) => Remove(name => name.Group == group);

    /// <summary>The table as it travels and as messageRequestMode.json holds it.</summary>
    public MessageRequestModeSerializeWrapper ToWrapper() => new()
    {
        MessageRequestModeMap = _modes.Values
            .GroupBy(mode => mode.Topic, StringComparer.Ordinal)
            .OrderBy(topic => topic.Key, StringComparer.Ordinal)
            .ToDictionary(
                topic => topic.Key,
                topic => topic.OrderBy(mode => mode.ConsumerGroup, StringComparer.Ordinal)
                    .ToDictionary(mode => mode.ConsumerGroup, StringComparer.Ordinal),
                StringComparer.Ordinal),
    };

    internal static byte[] KeyOf(GroupTopic name) => Encoding.UTF8.GetBytes(name.ToString());

    private void Remove(Func<GroupTopic, bool> isGone)
    {
        if (!_modes.Keys.Any(isGone))
        {
            return;
        }

        lock (_changes)
        {
            GroupTopic[] gone = [.. _modes.Keys.Where(isGone)];
            using KeyValueBatch batch = _store.Values.NewBatch();
            foreach (GroupTopic name in gone)
            {
                batch.Delete(_store.RequestModes, KeyOf(name));
            }

            _store.Values.Write(batch, sync: true);
            foreach (GroupTopic name in gone)
            {
                _modes.TryRemove(name, out _);
            }
        }
    }
}
