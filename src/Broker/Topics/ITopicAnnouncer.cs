namespace GrayMQ.Broker.Topics;

/// <summary>Tells the name servers of topics.</summary>
internal interface ITopicAnnouncer
{
    /// <summary>
    /// Changes topics, and completes when every name server that can be reached knows, so that whoever made the change finds it in the
    /// routes; after some seconds in any case.
    /// </summary>
    Task AnnounceAsync(Action change);
}
