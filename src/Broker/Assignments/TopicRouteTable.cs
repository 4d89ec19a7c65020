using System.Collections.Concurrent;
using GrayMQ.Broker.Topics;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Headers.NameServer;
using GrayMQ.Protocol.Names;
using GrayMQ.Remoting.Clients;
using Microsoft.Extensions.Logging;

namespace GrayMQ.Broker.Assignments;

/// <summary>
/// The readable queues of topics in the whole cluster, as name servers tell: asked for when first needed, and again now and then for as
/// long as someone needs them. What is known stays in use while the name servers are away. A broker without name servers, or with
/// a topic that they do not know (yet), has its own queues (RocketMQ: TopicRouteInfoManager).
/// </summary>
internal sealed class TopicRouteTable : IDisposable
{
    private const int MaxUnusedPeriods = 10;

    // Clients that ask here ask seldom, and would learn late of a broker that leaves or comes if what they are told were old already.
    private const int MaxToldAgeMs = 5_000;

    private static readonly TimeSpan AskTimeout = TimeSpan.FromSeconds(3);

    private readonly RouteOptions _options;
    private readonly TopicTable _topics;
    private readonly RemotingClient _client;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly ConcurrentDictionary<string, Route> _routes = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, Lazy<Task<Answer>>> _asking = new(StringComparer.Ordinal);
    private ITimer? _timer;
    private int _refreshing;

    // Where the last route came from.
    private volatile int _preferred;

    public TopicRouteTable(
        RouteOptions options, TopicTable topics, RemotingClient client, TimeProvider time, ILogger<TopicRouteTable> logger)
    {
        _options = options;
        _topics = topics;
        _client = client;
        _time = time;
        _logger = logger;
    }

    /// <summary>Begins to ask again now and then.</summary>
    public void Start()
    {
        if (_options.NameServers.Count > 0)
        {
            _timer = _time.CreateTimer(_ => _ = RefreshAsync(), null, _options.RefreshPeriod, _options.RefreshPeriod);
        }
    }

    public void Dispose() => _timer?.Dispose();

    /// <summary>The queues in order; null when there is no such topic, or nobody who knows.</summary>
    public async ValueTask<IReadOnlyList<MessageQueue>?> FindQueuesAsync(string topic)
    {
        if (_options.NameServers.Count == 0)
        {
            return FindOwnQueues(topic);
        }

        if (_routes.TryGetValue(topic, out Route? known))
        {
            known.LastUseMs = NowMs();
            return known.Queues;
        }

        Answer answer = await AskAsync(topic).ConfigureAwait(false);
        return answer.Queues ?? (answer.IsUnknown ? FindOwnQueues(topic) : null);
    }

    /// <summary>
    /// Queues and brokers of a topic, as a name server told them within the last seconds, or before where none answers now; null when there
    /// is no such topic, or nobody who knows.
    /// </summary>
    public async ValueTask<TopicRouteData?> FindRouteAsync(string topic)
    {
        if (_options.NameServers.Count == 0)
        {
            return FindOwnRoute(topic);
        }

        if (_routes.TryGetValue(topic, out Route? known))
        {
            known.LastUseMs = NowMs();
            if (known.LastUseMs - known.AskedMs < MaxToldAgeMs)
            {
                return known.Data;
            }

            known.AskedMs = known.LastUseMs;
        }

        Answer answer = await AskAsync(topic).ConfigureAwait(false);
        return answer.Data ?? (answer.IsSure ? null : known?.Data) ?? (answer.IsUnknown ? FindOwnRoute(topic) : null);
    }

    private async Task RefreshAsync()
    {
        if (Interlocked.Exchange(ref _refreshing, 1) != 0)
        {
            return;
        }

        try
        {
            long unusedSince = NowMs() - (long)(_options.RefreshPeriod.TotalMilliseconds * MaxUnusedPeriods);
            foreach ((string topic, Route route) in _routes)
            {
                if (route.LastUseMs < unusedSince)
                {
                    _routes.TryRemove(topic, out _);
                }
                else if (await AskAsync(topic).ConfigureAwait(false) is { Queues: null, IsUnknown: false })
                {
                    // Nobody answers: the other topics can wait for the next time as well.
                    return;
                }
            }
        }
        catch (Exception e)
        {
            Log.RouteRefreshFailed(_logger, e);
        }
        finally
        {
            Volatile.Write(ref _refreshing, 0);
        }
    }

    // Many consumers want the same topic at once: one question is asked for all.
    private async Task<Answer> AskAsync(string topic)
    {
        Lazy<Task<Answer>> asking = _asking.GetOrAdd(
            topic, static (topic, table) => new Lazy<Task<Answer>>(() => table.AskNameServersAsync(topic)), this);
        try
        {
            return await asking.Value.ConfigureAwait(false);
        }
        finally
        {
            _asking.TryRemove(KeyValuePair.Create(topic, asking));
        }
    }

    private async Task<Answer> AskNameServersAsync(string topic)
    {
        int first = _preferred;
        bool isUnknown = false;
        bool isSure = true;
        for (int i = 0; i < _options.NameServers.Count; i++)
        {
            int at = (first + i) % _options.NameServers.Count;
            string address = _options.NameServers[at];
            try
            {
                RemotingCommand reply = await _client
                    .InvokeAsync(address, RequestCode.GetRouteInfoByTopic, new GetRouteInfoHeader(topic), default, AskTimeout)
                    .ConfigureAwait(false);
                switch (reply.ResponseCode)
                {
                    case ResponseCode.Success when !reply.Body.IsEmpty:
                        _preferred = at;
                        return Keep(topic, BodyCodec.Decode<TopicRouteData>(reply.Body));
                    case ResponseCode.TopicNotExist:
                        // One that was away does not know what has been registered with the others meanwhile: only if all say so it is so.
                        isUnknown = true;
                        break;
                    default:
                        isSure = false;
                        Log.RouteRefused(_logger, address, topic, reply.ResponseCode, reply.Remark);
                        break;
                }
            }
            catch (Exception e) when (e is IOException or TimeoutException or BodyFormatException)
            {
                isSure = false;
                Log.RouteNotTold(_logger, address, topic, e.Message);
            }
        }

        if (isUnknown && isSure)
        {
            Forget(topic);
        }

        return new Answer(null, null, isUnknown, isSure);
    }

    private Answer Keep(string topic, TopicRouteData data)
    {
        MessageQueue[] queues = QueuesOf(topic, data);
        if (queues.Length == 0)
        {
            _routes.TryRemove(topic, out _);
        }
        else
        {
            Route route = _routes.GetOrAdd(topic, static (_, now) => new Route { LastUseMs = now }, NowMs());
            if (!route.Queues.SequenceEqual(queues))
            {
                Log.RouteChanged(_logger, topic, queues.Length, route.Queues.Length);
            }

            route.Queues = queues;
            route.Data = data;
            route.AskedMs = NowMs();
        }

        return new Answer(queues, data, IsUnknown: false, IsSure: true);
    }

    // The route of a retry topic is not missed by consumers that have nothing to try again.
    private void Forget(string topic)
    {
        if (!topic.StartsWith(TopicNames.RetryPrefix, StringComparison.Ordinal))
        {
            _routes.TryRemove(topic, out _);
        }
    }

    private static MessageQueue[] QueuesOf(string topic, TopicRouteData route) =>
    [
        .. route.QueueDatas
            .Where(data => TopicPermission.IsReadable(data.Perm))
            .SelectMany(data => QueuesOf(topic, data.BrokerName, data.ReadQueueNums))
            .Distinct()
            .Order(),
    ];

    private static IEnumerable<MessageQueue> QueuesOf(string topic, string broker, int count) =>
        Enumerable.Range(0, Math.Clamp(count, 0, TopicOptions.MaxQueueNums)).Select(id => new MessageQueue(topic, broker, id));

    private MessageQueue[]? FindOwnQueues(string topic) =>
        _topics.Find(topic)?.Config is { } config && TopicPermission.IsReadable(config.Perm)
            ? [.. QueuesOf(topic, _options.BrokerName, config.ReadQueueNums)]
            : null;

    private TopicRouteData? FindOwnRoute(string topic) => _topics.Find(topic)?.Config is { } config
        ? new TopicRouteData
        {
            BrokerDatas = [new BrokerData { BrokerName = _options.BrokerName }],
            QueueDatas =
            [
                new QueueData
                {
                    BrokerName = _options.BrokerName,
                    Perm = config.Perm,
                    ReadQueueNums = config.ReadQueueNums,
                    WriteQueueNums = config.WriteQueueNums,
                    TopicSysFlag = config.TopicSysFlag,
                },
            ],
        }
        : null;

    private long NowMs() => _time.GetUtcNow().ToUnixTimeMilliseconds();

    /// <summary>Neither queues nor unknown: nobody answered.</summary>
    /// <param name="IsUnknown">One at least says that there is no such topic.</param>
    /// <param name="IsSure">All have answered who were asked.</param>
    private readonly record struct Answer(IReadOnlyList<MessageQueue>? Queues, TopicRouteData? Data, bool IsUnknown, bool IsSure);

    private sealed class Route
    {
        private volatile MessageQueue[] _queues = [];
        private volatile TopicRouteData _data = new();
        private long _lastUseMs;
        private long _askedMs;

        public MessageQueue[] Queues
        {
            get => _queues;
            set => _queues = value;
        }

        /// <summary>Not to be changed.</summary>
        public TopicRouteData Data
        {
            get => _data;
            set => _data = value;
        }

        /// <summary>When a name server was asked last, ms since 1970.</summary>
        public long AskedMs
        {
            get => Volatile.Read(ref _askedMs);
            set => Volatile.Write(ref _askedMs, value);
        }

        public long LastUseMs
        {
            get => Volatile.Read(ref _lastUseMs);
            set => Volatile.Write(ref _lastUseMs, value);
        }
    }
}
