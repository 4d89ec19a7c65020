using GrayMQ.Broker.Names;
using GrayMQ.Broker.Topics;

namespace GrayMQ.Broker.Statistics;

/// <summary>
/// Counts what is sent and consumed, by topic and by consumer group, and knows the last minute, hour and day of each. Counting
/// takes no lock and allocates nothing. RocketMQ: BrokerStatsManager, BrokerStats.
/// </summary>
public sealed class BrokerStatistics : IDisposable
{
    private readonly TrafficTable<Topic> _puts;
    private readonly TrafficTable<GroupTopic> _gets;
    private readonly TrafficTable<GroupTopic> _sendBacks;
    private readonly TrafficTable<GroupTopic> _deadLetters;
    private readonly TrafficHistory _putHistory;
    private readonly TrafficHistory _getHistory;
    private readonly string _clusterName;
    private readonly TimeProvider _time;
    private readonly Lock _sampling = new();
    private ITimer? _timer;
    private long _tick;
    private DateOnly _today;
    private MorningTotals _mornings;

    public BrokerStatistics(string clusterName, TimeProvider time)
    {
        _clusterName = clusterName;
        _time = time;
        _puts = new TrafficTable<Topic>(topic => topic.Name, ReferenceEqualityComparer.Instance, time);
        _gets = new TrafficTable<GroupTopic>(key => key.ToString(), EqualityComparer<GroupTopic>.Default, time);
        _sendBacks = new TrafficTable<GroupTopic>(key => key.ToString(), EqualityComparer<GroupTopic>.Default, time);
        _deadLetters = new TrafficTable<GroupTopic>(key => key.ToString(), EqualityComparer<GroupTopic>.Default, time);
        _putHistory = new TrafficHistory(NowMs);
        _getHistory = new TrafficHistory(NowMs);
        _today = Today();
    }

    /// <summary>All that was sent since the start.</summary>
    public Traffic PutTotal => _puts.Total;

    /// <summary>All that was handed to consumers since the start.</summary>
    public Traffic GetTotal => _gets.Total;

    public RecentTraffic RecentPuts => _putHistory.Recent(NowMs, PutTotal);

    public RecentTraffic RecentGets => _getHistory.Recent(NowMs, GetTotal);

    /// <summary>Counters of what was sent, by topic.</summary>
    public IEnumerable<KeyValuePair<string, TrafficCounter>> Puts => _puts.All;

    /// <summary>Counters of what was consumed, by <c>topic@group</c>.</summary>
    public IEnumerable<KeyValuePair<string, TrafficCounter>> Gets => _gets.All;

    /// <summary>Counters of what was sent back, by <c>topic@group</c>.</summary>
    public IEnumerable<KeyValuePair<string, TrafficCounter>> SendBacks => _sendBacks.All;

    /// <summary>Messages put among dead letters since the start, by <c>topic@group</c>.</summary>
    public IEnumerable<KeyValuePair<string, TrafficCounter>> DeadLetters => _deadLetters.All;

    /// <summary>The totals as they stood at midnight, today and the day before.</summary>
    public MorningTotals Mornings
    {
        get
        {
            lock (_sampling)
            {
                return _mornings;
            }
        }
    }

    private long NowMs => _time.GetUtcNow().ToUnixTimeMilliseconds();

    /// <summary>Begins to sample.</summary>
    public void Start() =>
        _timer ??= _time.CreateTimer(_ => Sample(), null, TrafficHistory.Interval, TrafficHistory.Interval);

    /// <summary>Messages were stored.</summary>
    /// <param name="requests">How many have brought them.</param>
    public void Put(Topic topic, int messages, long bytes, int requests = 1) => _puts.Get(topic).Add(messages, bytes, requests);

    /// <summary>Messages were handed to a consumer by one answer.</summary>
    public void Got(string group, Topic topic, int messages, long bytes) =>
        _gets.Get(new GroupTopic(group, topic.Name)).Add(messages, bytes);

    /// <summary>A consumer could not consume a message.</summary>
    public void SentBack(string group, string topic) => _sendBacks.Get(new GroupTopic(group, topic)).Add(1, 0);

    /// <summary>Counts a message of the topic that was put among the dead letters of the group.</summary>
    public void DeadLettered(string group, string topic) => _deadLetters.Get(new GroupTopic(group, topic)).Add(1, 0);

    /// <summary>Messages per second over the last minute; 0 for a topic that nothing was sent to.</summary>
    public double PutTps(string topic) => _puts.Find(topic)?.Recent(NowMs).Minute.MessagesPerSecond ?? 0;

    /// <summary>Messages per second over the last minute; 0 where nothing was consumed.</summary>
    public double GetTps(string group, string topic) =>
        _gets.Find(new GroupTopic(group, topic).ToString())?.Recent(NowMs).Minute.MessagesPerSecond ?? 0;

    /// <summary>One of the statistics of <see cref="StatsName"/>: null when it is none, or nothing was counted under this key.</summary>
    public StatsView? Find(string statsName, string key) => statsName switch
    {
        StatsName.TopicPutNums => StatsView.OfMessages(_puts.Find(key)?.Recent(NowMs)),
        StatsName.TopicPutSize => StatsView.OfBytes(_puts.Find(key)?.Recent(NowMs)),
        StatsName.GroupGetNums => StatsView.OfMessages(_gets.Find(key)?.Recent(NowMs)),
        StatsName.GroupGetSize => StatsView.OfBytes(_gets.Find(key)?.Recent(NowMs)),
        StatsName.SendBackPutNums => StatsView.OfMessages(_sendBacks.Find(key)?.Recent(NowMs)),
        StatsName.BrokerPutNums when key == _clusterName => StatsView.OfMessages(RecentPuts),
        StatsName.BrokerGetNums when key == _clusterName => StatsView.OfMessages(RecentGets),
        _ => null,
    };

    /// <summary>The topic is gone: its counters, too.</summary>
    public void RemoveTopic(string topic)
    {
        _puts.Remove(key => key.Name == topic);
        _gets.Remove(key => key.Topic == topic);
        _sendBacks.Remove(key => key.Topic == topic);
        _deadLetters.Remove(key => key.Topic == topic);
    }

    /// <summary>The group is gone: its counters, too.</summary>
    public void RemoveGroup(string group)
    {
        _gets.Remove(key => key.Group == group);
        _sendBacks.Remove(key => key.Group == group);
        _deadLetters.Remove(key => key.Group == group);
    }

    public void Dispose() => _timer?.Dispose();

    private void Sample()
    {
        lock (_sampling)
        {
            long now = NowMs;
            _tick++;
            _puts.Sample(_tick, now);
            _gets.Sample(_tick, now);
            _sendBacks.Sample(_tick, now);
            _deadLetters.Sample(_tick, now);
            Traffic puts = PutTotal;
            Traffic gets = GetTotal;
            _putHistory.Sample(_tick, now, puts);
            _getHistory.Sample(_tick, now, gets);
            DateOnly today = Today();
            if (today != _today)
            {
                _today = today;
                _mornings = new MorningTotals(_mornings.PutToday, _mornings.GetToday, puts.Messages, gets.Messages);
            }
        }
    }

    private DateOnly Today() => DateOnly.FromDateTime(_time.GetLocalNow().DateTime);
}

/// <summary>Messages sent and consumed from the start until midnight; 0 for a midnight before the start.</summary>
public readonly record struct MorningTotals(long PutYesterday, long GetYesterday, long PutToday, long GetToday);
