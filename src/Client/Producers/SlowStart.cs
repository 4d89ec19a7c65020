using GrayMQ.Client.Routes;
using GrayMQ.Protocol.Bodies;

namespace GrayMQ.Client.Producers;

/// <summary>
/// Gives brokers that are new in a route a smaller part of the messages, by their age: of the times when it is the turn of one that has been
/// there for a third of <paramref name="duration"/>, a third is taken.
/// </summary>
/// <param name="duration">From when on a broker counts like any other; zero from the beginning.</param>
/// <param name="random">Gives numbers from 0 to 1; null for any.</param>
internal sealed class SlowStart(BrokerArrivals arrivals, TimeSpan duration, Func<double>? random = null)
{
    // Enough for a broker to come into use at all, and for its clock to begin.
    private const double LeastWeight = 0.05;

    private readonly Func<double> _random = random ?? Random.Shared.NextDouble;

    /// <summary>Whether any broker may be new.</summary>
    public bool Any => duration > TimeSpan.Zero && arrivals.Any;

    /// <summary>How often a queue is used when it is its turn, above 0 to 1.</summary>
    public double WeightOf(MessageQueue queue) =>
        Any && arrivals.AgeOf(queue) is { } age && age < duration ? Math.Max(LeastWeight, age / duration) : 1;

    /// <summary>Whether a queue whose turn it is is passed over this time.</summary>
    public bool PassesOver(MessageQueue queue) => WeightOf(queue) is < 1 and var weight && _random() >= weight;

    /// <summary>Any one of some queues, each as likely as its weight has it.</summary>
    /// <param name="queues">Not empty.</param>
    public MessageQueue Choose(IReadOnlyList<MessageQueue> queues)
    {
        double sum = queues.Sum(WeightOf);
        double at = _random() * sum;
        foreach (MessageQueue queue in queues)
        {
            at -= WeightOf(queue);
            if (at < 0)
            {
                return queue;
            }
        }

        return queues[^1];
    }
}
