namespace GrayMQ.Protocol.Messages;

/// <summary>
/// The 8-byte number that a consume-queue entry holds to filter by tag: the tag's Java hash, sign-extended;
/// 0 for no tag (RocketMQ: MessageExtBrokerInner.tagsString2tagsCode).
/// </summary>
public static class TagsCode
{
    public static long Of(ReadOnlySpan<byte> utf8Tag) => JavaStringHash.Of(utf8Tag);

    public static long Of(ReadOnlySpan<char> tag) => JavaStringHash.Of(tag);
}
