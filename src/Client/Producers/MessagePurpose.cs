namespace GrayMQ.Client.Producers;

/// <summary>What a message is sent for.</summary>
internal enum MessagePurpose
{
    Delivery,

    /// <summary>To be delivered when its transaction is committed.</summary>
    Transaction,

    /// <summary>To be handed to the client that waits for the reply to its request.</summary>
    Reply,
}
