using GrayMQ.Protocol.Commands;

namespace GrayMQ.Broker.Pulling;

/// <summary>Ends a pull that somebody forbids.</summary>
internal sealed class PullForbiddenException(ForbiddenType type, string remark) : Exception(remark)
{
    public PullForbiddenHeader Header => new(type);
}

/// <summary>Of a pull's response header only what says who forbids it.</summary>
internal readonly struct PullForbiddenHeader(ForbiddenType type) : IHeaderFields
{
    public void Write(ref HeaderWriter writer) => writer.Write("forbiddenType"u8, (int)type);
}
