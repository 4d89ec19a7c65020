namespace GrayMQ.Gray;

/// <summary>Who is to own the queues of a group with a release that is not closed: rule 2 of the gray rules.</summary>
public static class QueueOwners
{
    /// <summary>The side that is to own a queue; null for nobody.</summary>
    /// <param name="isGray">Whether the queue is one of the gray queues of a gray topic that is live.</param>
    /// <param name="isGrayTopic">Whether its topic is a gray topic that is live.</param>
    /// <param name="subscribers">Which sides of the group subscribe to the topic.</param>
    public static Side? Of(GrayRelease release, bool isGrayTopic, bool isGray, SideSet subscribers) => release.State switch
    {
        GrayReleaseState.Promoting when release.Promotion == GrayPromotion.Replace => subscribers.Gray ? Side.Gray : null,
        GrayReleaseState.Promoting or GrayReleaseState.Withdrawing => subscribers.Normal ? Side.Normal : null,
        _ when isGray && subscribers.Gray => Side.Gray,
        _ when isGray && release.Unsubscribed == GrayUnsubscribed.Hold => null,
        _ when subscribers.Normal => Side.Normal,
        _ when !isGrayTopic && subscribers.Gray => Side.Gray,
        _ => null,
    };
}

/// <summary>Some of the two sides.</summary>
public readonly record struct SideSet(bool Normal, bool Gray)
{
    public bool Contains(Side side) => side == Side.Gray ? Gray : Normal;
}
