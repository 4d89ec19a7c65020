namespace GrayMQ.Broker.Pulling;

/// <summary>Who forbids a pull, told in the answer NO_PERMISSION (RocketMQ: ForbiddenType).</summary>
internal enum ForbiddenType
{
    Broker = 1,
    Group = 2,
    Topic = 3,
    Broadcasting = 4,
    Subscription = 5,
}
