using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Gateway.Data.Migrations
{
    /// <inheritdoc />
    public partial class Operations : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<int>(
                name: "budget_per",
                table: "workspaces",
                type: "integer",
                nullable: true);

            migrationBuilder.AddColumn<long>(
                name: "budget_tokens",
                table: "workspaces",
                type: "bigint",
                nullable: true);

            migrationBuilder.AddColumn<decimal>(
                name: "budget_usd",
                table: "workspaces",
                type: "numeric",
                nullable: true);

            migrationBuilder.AddColumn<int>(
                name: "concurrent",
                table: "workspaces",
                type: "integer",
                nullable: true);

            migrationBuilder.AddColumn<int>(
                name: "rpm",
                table: "workspaces",
                type: "integer",
                nullable: true);

            migrationBuilder.AddColumn<long>(
                name: "tpm",
                table: "workspaces",
                type: "bigint",
                nullable: true);

            migrationBuilder.AddColumn<int>(
                name: "max_concurrency",
                table: "providers",
                type: "integer",
                nullable: true);

            migrationBuilder.AddColumn<double>(
                name: "breaker_failure_rate",
                table: "models",
                type: "double precision",
                nullable: false,
                defaultValue: 0.5);

            migrationBuilder.AddColumn<int>(
                name: "breaker_minimum",
                table: "models",
                type: "integer",
                nullable: false,
                defaultValue: 4);

            migrationBuilder.AddColumn<int>(
                name: "breaker_open_ms",
                table: "models",
                type: "integer",
                nullable: false,
                defaultValue: 10000);

            migrationBuilder.AddColumn<int>(
                name: "breaker_window_ms",
                table: "models",
                type: "integer",
                nullable: false,
                defaultValue: 30000);

            migrationBuilder.AddColumn<int>(
                name: "context_tokens",
                table: "models",
                type: "integer",
                nullable: true);

            migrationBuilder.AddColumn<int>(
                name: "default_output_tokens",
                table: "models",
                type: "integer",
                nullable: true);

            migrationBuilder.AddColumn<string[]>(
                name: "fallbacks",
                table: "models",
                type: "text[]",
                nullable: false,
                defaultValueSql: "'{}'");

            migrationBuilder.AddColumn<decimal>(
                name: "price_cached_input",
                table: "models",
                type: "numeric",
                nullable: true);

            migrationBuilder.AddColumn<decimal>(
                name: "price_input",
                table: "models",
                type: "numeric",
                nullable: true);

            migrationBuilder.AddColumn<decimal>(
                name: "price_output",
                table: "models",
                type: "numeric",
                nullable: true);

            migrationBuilder.AddColumn<int>(
                name: "rescue",
                table: "models",
                type: "integer",
                nullable: false,
                defaultValue: 1);

            migrationBuilder.AddColumn<int>(
                name: "retries",
                table: "models",
                type: "integer",
                nullable: false,
                defaultValue: 2);

            migrationBuilder.AddColumn<int>(
                name: "budget_per",
                table: "keys",
                type: "integer",
                nullable: true);

            migrationBuilder.AddColumn<long>(
                name: "budget_tokens",
                table: "keys",
                type: "bigint",
                nullable: true);

            migrationBuilder.AddColumn<decimal>(
                name: "budget_usd",
                table: "keys",
                type: "numeric",
                nullable: true);

            migrationBuilder.AddColumn<int>(
                name: "concurrent",
                table: "keys",
                type: "integer",
                nullable: true);

            migrationBuilder.AddColumn<int>(
                name: "rpm",
                table: "keys",
                type: "integer",
                nullable: true);

            migrationBuilder.AddColumn<long>(
                name: "tpm",
                table: "keys",
                type: "bigint",
                nullable: true);

            migrationBuilder.AddColumn<bool>(
                name: "supports_prefill",
                table: "deployments",
                type: "boolean",
                nullable: false,
                defaultValue: false);

            migrationBuilder.AddColumn<int>(
                name: "weight",
                table: "deployments",
                type: "integer",
                nullable: false,
                defaultValue: 1);

            migrationBuilder.AddColumn<int>(
                name: "budget_per",
                table: "bots",
                type: "integer",
                nullable: true);

            migrationBuilder.AddColumn<long>(
                name: "budget_tokens",
                table: "bots",
                type: "bigint",
                nullable: true);

            migrationBuilder.AddColumn<decimal>(
                name: "budget_usd",
                table: "bots",
                type: "numeric",
                nullable: true);

            migrationBuilder.AddColumn<int>(
                name: "concurrent",
                table: "bots",
                type: "integer",
                nullable: true);

            migrationBuilder.AddColumn<int>(
                name: "rpm",
                table: "bots",
                type: "integer",
                nullable: true);

            migrationBuilder.AddColumn<long>(
                name: "tpm",
                table: "bots",
                type: "bigint",
                nullable: true);

            migrationBuilder.CreateTable(
                name: "instances",
                columns: table => new
                {
                    id = table.Column<Guid>(type: "uuid", nullable: false),
                    seen_at = table.Column<DateTime>(type: "timestamp with time zone", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_instances", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "limit_leases",
                columns: table => new
                {
                    workspace_id = table.Column<Guid>(type: "uuid", nullable: false),
                    scope = table.Column<int>(type: "integer", nullable: false),
                    subject = table.Column<string>(type: "text", nullable: false),
                    meter = table.Column<int>(type: "integer", nullable: false),
                    starts_at = table.Column<DateTime>(type: "timestamp with time zone", nullable: false),
                    instance = table.Column<Guid>(type: "uuid", nullable: false),
                    ends_at = table.Column<DateTime>(type: "timestamp with time zone", nullable: false),
                    report = table.Column<long>(type: "bigint", nullable: false),
                    spent = table.Column<long>(type: "bigint", nullable: false),
                    held = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_limit_leases", x => new { x.workspace_id, x.scope, x.subject, x.meter, x.starts_at, x.instance });
                });

            migrationBuilder.CreateTable(
                name: "limit_windows",
                columns: table => new
                {
                    workspace_id = table.Column<Guid>(type: "uuid", nullable: false),
                    scope = table.Column<int>(type: "integer", nullable: false),
                    subject = table.Column<string>(type: "text", nullable: false),
                    meter = table.Column<int>(type: "integer", nullable: false),
                    starts_at = table.Column<DateTime>(type: "timestamp with time zone", nullable: false),
                    ends_at = table.Column<DateTime>(type: "timestamp with time zone", nullable: false),
                    trips = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_limit_windows", x => new { x.workspace_id, x.scope, x.subject, x.meter, x.starts_at });
                });

            migrationBuilder.CreateTable(
                name: "usage",
                columns: table => new
                {
                    workspace_id = table.Column<Guid>(type: "uuid", nullable: false),
                    id = table.Column<Guid>(type: "uuid", nullable: false),
                    at = table.Column<DateTime>(type: "timestamp with time zone", nullable: false),
                    key_id = table.Column<Guid>(type: "uuid", nullable: false),
                    request_id = table.Column<string>(type: "text", nullable: false),
                    route = table.Column<string>(type: "text", nullable: false),
                    selector = table.Column<string>(type: "text", nullable: false),
                    bot = table.Column<string>(type: "text", nullable: true),
                    model = table.Column<string>(type: "text", nullable: true),
                    deployment = table.Column<string>(type: "text", nullable: true),
                    status = table.Column<int>(type: "integer", nullable: false),
                    end_reason = table.Column<string>(type: "text", nullable: false),
                    is_stream = table.Column<bool>(type: "boolean", nullable: false),
                    is_estimated = table.Column<bool>(type: "boolean", nullable: false),
                    input_tokens = table.Column<long>(type: "bigint", nullable: false),
                    cached_input_tokens = table.Column<long>(type: "bigint", nullable: false),
                    output_tokens = table.Column<long>(type: "bigint", nullable: false),
                    reasoning_tokens = table.Column<long>(type: "bigint", nullable: false),
                    usd = table.Column<decimal>(type: "numeric", nullable: true),
                    first_content_ms = table.Column<double>(type: "double precision", nullable: true),
                    duration_ms = table.Column<double>(type: "double precision", nullable: false),
                    steps = table.Column<int>(type: "integer", nullable: false),
                    attempts = table.Column<string>(type: "jsonb", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_usage", x => new { x.workspace_id, x.id });
                });

            migrationBuilder.CreateIndex(
                name: "IX_usage_workspace_id_at",
                table: "usage",
                columns: new[] { "workspace_id", "at" });
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "instances");

            migrationBuilder.DropTable(
                name: "limit_leases");

            migrationBuilder.DropTable(
                name: "limit_windows");

            migrationBuilder.DropTable(
                name: "usage");

            migrationBuilder.DropColumn(
                name: "budget_per",
                table: "workspaces");

            migrationBuilder.DropColumn(
                name: "budget_tokens",
                table: "workspaces");

            migrationBuilder.DropColumn(
                name: "budget_usd",
                table: "workspaces");

            migrationBuilder.DropColumn(
                name: "concurrent",
                table: "workspaces");

            migrationBuilder.DropColumn(
                name: "rpm",
                table: "workspaces");

            migrationBuilder.DropColumn(
                name: "tpm",
                table: "workspaces");

            migrationBuilder.DropColumn(
                name: "max_concurrency",
                table: "providers");

            migrationBuilder.DropColumn(
                name: "breaker_failure_rate",
                table: "models");

            migrationBuilder.DropColumn(
                name: "breaker_minimum",
                table: "models");

            migrationBuilder.DropColumn(
                name: "breaker_open_ms",
                table: "models");

            migrationBuilder.DropColumn(
                name: "breaker_window_ms",
                table: "models");

            migrationBuilder.DropColumn(
                name: "context_tokens",
                table: "models");

            migrationBuilder.DropColumn(
                name: "default_output_tokens",
                table: "models");

            migrationBuilder.DropColumn(
                name: "fallbacks",
                table: "models");

            migrationBuilder.DropColumn(
                name: "price_cached_input",
                table: "models");

            migrationBuilder.DropColumn(
                name: "price_input",
                table: "models");

            migrationBuilder.DropColumn(
                name: "price_output",
                table: "models");

            migrationBuilder.DropColumn(
                name: "rescue",
                table: "models");

            migrationBuilder.DropColumn(
                name: "retries",
                table: "models");

            migrationBuilder.DropColumn(
                name: "budget_per",
                table: "keys");

            migrationBuilder.DropColumn(
                name: "budget_tokens",
                table: "keys");

            migrationBuilder.DropColumn(
                name: "budget_usd",
                table: "keys");

            migrationBuilder.DropColumn(
                name: "concurrent",
                table: "keys");

            migrationBuilder.DropColumn(
                name: "rpm",
                table: "keys");

            migrationBuilder.DropColumn(
                name: "tpm",
                table: "keys");

            migrationBuilder.DropColumn(
                name: "supports_prefill",
                table: "deployments");

            migrationBuilder.DropColumn(
                name: "weight",
                table: "deployments");

            migrationBuilder.DropColumn(
                name: "budget_per",
                table: "bots");

            migrationBuilder.DropColumn(
                name: "budget_tokens",
                table: "bots");

            migrationBuilder.DropColumn(
                name: "budget_usd",
                table: "bots");

            migrationBuilder.DropColumn(
                name: "concurrent",
                table: "bots");

            migrationBuilder.DropColumn(
                name: "rpm",
                table: "bots");

            migrationBuilder.DropColumn(
                name: "tpm",
                table: "bots");
        }
    }
}
