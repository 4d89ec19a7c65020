using GrayMQ.Client.Routes;
using GrayMQ.Protocol.Names;

namespace GrayMQ.Client.Producers;

/// <summary>Settings of a <see cref="Producer"/>.</summary>
public sealed class ProducerOptions : ClientOptions
{
    private const int MostRetries = 100;

    /// <summary>The group that brokers know the producer by. It matters for transactions, and to whoever looks who is connected.</summary>
    public string Group { get; set; } = "GRAYMQ_PRODUCER";

    /// <summary>The time that a send may take with all its attempts.</summary>
    public TimeSpan SendTimeout { get; set; } = TimeSpan.FromSeconds(3);

    /// <summary>The time that one attempt may take while there are others to come; null lets the first take all.</summary>
    public TimeSpan? AttemptTimeout { get; set; }

    /// <summary>How often a send that failed is tried again, at another broker where there is one.</summary>
    public int Retries { get; set; } = 2;

    /// <summary>Whether a message that a broker took, but not as surely as it should, is sent again to another broker.</summary>
    public bool RetryWhenNotStoredSurely { get; set; }

    /// <summary>The pause before a broker is asked again that has just failed; each further one is twice as long.</summary>
    public TimeSpan RetryBackoff { get; set; } = TimeSpan.FromMilliseconds(20);

    /// <summary>The longest such pause.</summary>
    public TimeSpan MaxRetryBackoff { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>For how long a broker that could not be reached, or did not answer, is passed over while there are others.</summary>
    public TimeSpan AvoidUnreachableBroker { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>For how long a broker that refused a message for its own reasons, such as being busy, is passed over.</summary>
    public TimeSpan AvoidRefusingBroker { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>
    /// A broker that comes into the route of a topic in use gets a part of its messages that grows for so long, up to an hour; zero gives it its
    /// whole share at once. Brokers of this project that have just started see to that themselves, and are left alone.
    /// </summary>
    public TimeSpan SlowStart { get; set; } = TimeSpan.FromSeconds(60);

    /// <summary>Bodies of so many bytes and more are compressed with zlib, where that makes them smaller.</summary>
    public int CompressBodyFromBytes { get; set; } = 4096;

    /// <summary>The largest body, and the largest batch, that is sent. Brokers have a limit of their own, 4 MiB unless set.</summary>
    public int MaxMessageBytes { get; set; } = 4 * 1024 * 1024;

    /// <summary>The topic that topics are created after when they are sent to and do not exist.</summary>
    public string DefaultTopic { get; set; } = TopicNames.AutoCreateTemplate;

    /// <summary>How many queues such a topic gets at each broker.</summary>
    public int DefaultTopicQueueCount { get; set; } = 4;

    private protected override void FindProblems(List<string> problems)
    {
        base.FindProblems(problems);
        if (GroupNames.Problem(Group) is { } group)
        {
            problems.Add($"{nameof(Group)}: {group}");
        }

        if (TopicNames.Problem(DefaultTopic) is { } topic)
        {
            problems.Add($"{nameof(DefaultTopic)}: {topic}");
        }

        RequirePositive(problems, SendTimeout, nameof(SendTimeout));
        RequirePositive(problems, AttemptTimeout ?? SendTimeout, nameof(AttemptTimeout));
        RequirePositive(problems, RetryBackoff, nameof(RetryBackoff));
        RequirePositive(problems, MaxRetryBackoff, nameof(MaxRetryBackoff));
        RequirePositive(problems, AvoidUnreachableBroker, nameof(AvoidUnreachableBroker));
        RequirePositive(problems, AvoidRefusingBroker, nameof(AvoidRefusingBroker));
        if (SlowStart < TimeSpan.Zero || SlowStart > BrokerArrivals.Remembered)
        {
            problems.Add($"{nameof(SlowStart)}: {SlowStart}: expected 0 to {BrokerArrivals.Remembered}");
        }

        RequireRange(problems, Retries, 0, MostRetries, nameof(Retries));
        RequireRange(problems, CompressBodyFromBytes, 1, int.MaxValue, nameof(CompressBodyFromBytes));
        RequireRange(problems, MaxMessageBytes, 1, int.MaxValue, nameof(MaxMessageBytes));
        RequireRange(problems, DefaultTopicQueueCount, 1, int.MaxValue, nameof(DefaultTopicQueueCount));
    }
}
