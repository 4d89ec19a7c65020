using GrayMQ.Broker.Topics;

namespace GrayMQ.Broker.Statistics;

/// <summary>
/// What the calling thread has stored of one topic and not counted yet. To count each message would take three interlocked calls, which wait
/// until the message just copied has left the processor's store buffer.
/// </summary>
internal sealed class PutTally
{
    [ThreadStatic]
    private static PutTally? _ofThread;

    private BrokerStatistics? _statistics;
    private Topic? _topic;
    private int _requests;
    private int _messages;
    private long _bytes;

    // Those that were counted since the last call of Count, too.
    private int _allRequests;

    /// <summary>Of the calling thread.</summary>
    public static PutTally OfThread => _ofThread ??= new PutTally();

    public void Add(BrokerStatistics statistics, Topic topic, int messages, long bytes)
    {
        if (!ReferenceEquals(_topic, topic) || !ReferenceEquals(_statistics, statistics))
        {
            CountTopic();
            _statistics = statistics;
            _topic = topic;
        }

        _requests++;
        _messages += messages;
        _bytes += bytes;
    }

    /// <summary>Counts what has gathered since the last call, of all topics. Returns by how many requests it was stored.</summary>
    public int Count()
    {
        CountTopic();
        int requests = _allRequests;
        _allRequests = 0;
        return requests;
    }

    private void CountTopic()
    {
        if (_requests > 0)
        {
            _statistics!.Put(_topic!, _messages, _bytes, _requests);
            _allRequests += _requests;
        }

        // Neither a broker nor a topic is kept by a thread that goes on to others.
        _statistics = null;
        _topic = null;
        _requests = 0;
        _messages = 0;
        _bytes = 0;
    }
}
