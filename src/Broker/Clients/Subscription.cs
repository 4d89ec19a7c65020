using GrayMQ.Filtering;
using GrayMQ.Protocol.Bodies;

namespace GrayMQ.Broker.Clients;

/// <summary>What a consumer wants of one topic: as it said it, and compiled. Immutable.</summary>
public sealed class Subscription
{
    public Subscription(SubscriptionData data)
    {
        Data = data;
        Expression = Compile(data, out string? problem);
        Problem = problem;
    }

    /// <summary>As the client sent it; not to be changed.</summary>
    public SubscriptionData Data { get; }

    public string Topic => Data.Topic;

    /// <summary>Milliseconds since 1970 at the client when it subscribed: of two subscriptions the newer one counts.</summary>
    public long SubVersion => Data.SubVersion;

    /// <summary>Takes nothing when there is a <see cref="Problem"/>.</summary>
    public SubscriptionExpression Expression { get; }

    /// <summary>Why a condition on properties cannot be understood; null when it can. Whoever pulls by it is told.</summary>
    public string? Problem { get; }

    /// <summary>Whether both ask for the same, whenever they were made.</summary>
    public bool AsksForTheSameAs(Subscription other) =>
        Topic == other.Topic
        && Data.SubString == other.Data.SubString
        && Data.ExpressionType == other.Data.ExpressionType
        && Data.ClassFilterMode == other.Data.ClassFilterMode;

    private static SubscriptionExpression Compile(SubscriptionData data, out string? problem)
    {
        problem = null;
        if (data.ClassFilterMode)
        {
            // Such a client filters by a class of its own: it is given everything.
            return SubscriptionExpression.All;
        }

        try
        {
            return SubscriptionExpression.Parse(data.ExpressionType, data.SubString);
        }
        catch (ExpressionSyntaxException e)
        {
            // A heartbeat says many things and is not refused for one of them; RocketMQ finds no message by such tags either.
            problem = SubscriptionExpression.IsTagType(data.ExpressionType) ? null : e.Message;
            return SubscriptionExpression.Nothing;
        }
    }
}
