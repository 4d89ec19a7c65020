using GrayMQ.Compatibility.Tests.Servers;

namespace GrayMQ.Compatibility.Tests.AliOns;

/// <summary>The npm package ali-ons: an independent client of the remoting protocol.</summary>
public sealed class AliOnsPackage : NpmPackage
{
    public AliOnsPackage()
        : base("AliOns")
    {
    }
}
