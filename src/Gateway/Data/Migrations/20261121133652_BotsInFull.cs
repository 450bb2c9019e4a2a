using System;
using Microsoft.EntityFrameworkCore.Migrations;
using NpgsqlTypes;

#nullable disable

namespace Gateway.Data.Migrations
{
    /// <inheritdoc />
    public partial class BotsInFull : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<string>(
                name: "step_list",
                table: "usage",
                type: "jsonb",
                nullable: false,
                defaultValueSql: "'[]'");

            migrationBuilder.AddColumn<string>(
                name: "client_tools",
                table: "bots",
                type: "jsonb",
                nullable: false,
                defaultValueSql: "'[]'");

            migrationBuilder.AddColumn<string>(
                name: "datasets",
                table: "bots",
                type: "jsonb",
                nullable: false,
                defaultValueSql: "'[]'");

            migrationBuilder.AddColumn<int>(
                name: "depth",
                table: "bots",
                type: "integer",
                nullable: true);

            migrationBuilder.AddColumn<bool>(
                name: "expose_steps",
                table: "bots",
                type: "boolean",
                nullable: false,
                defaultValue: false);

            migrationBuilder.AddColumn<int>(
                name: "seconds",
                table: "bots",
                type: "integer",
                nullable: true);

            migrationBuilder.AddColumn<string[]>(
                name: "skillsets",
                table: "bots",
                type: "text[]",
                nullable: false,
                defaultValueSql: "'{}'");

            migrationBuilder.AddColumn<int>(
                name: "steps",
                table: "bots",
                type: "integer",
                nullable: true);

            migrationBuilder.AddColumn<string>(
                name: "team",
                table: "bots",
                type: "jsonb",
                nullable: false,
                defaultValueSql: "'[]'");

            migrationBuilder.AddColumn<int>(
                name: "tool_calls",
                table: "bots",
                type: "integer",
                nullable: true);

            migrationBuilder.AddColumn<decimal>(
                name: "turn_budget_usd",
                table: "bots",
                type: "numeric",
                nullable: true);

            migrationBuilder.AddColumn<bool>(
                name: "web_search",
                table: "bots",
                type: "boolean",
                nullable: false,
                defaultValue: false);

            migrationBuilder.CreateTable(
                name: "audit",
                columns: table => new
                {
                    workspace_id = table.Column<Guid>(type: "uuid", nullable: false),
                    id = table.Column<Guid>(type: "uuid", nullable: false),
                    at = table.Column<DateTime>(type: "timestamp with time zone", nullable: false),
                    actor = table.Column<string>(type: "text", nullable: false),
                    key_id = table.Column<Guid>(type: "uuid", nullable: false),
                    action = table.Column<string>(type: "text", nullable: false),
                    kind = table.Column<string>(type: "text", nullable: false),
                    subject = table.Column<string>(type: "text", nullable: false),
                    fields = table.Column<string[]>(type: "text[]", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_audit", x => new { x.workspace_id, x.id });
                });

            migrationBuilder.CreateTable(
                name: "datasets",
                columns: table => new
                {
                    workspace_id = table.Column<Guid>(type: "uuid", nullable: false),
                    id = table.Column<Guid>(type: "uuid", nullable: false),
                    name = table.Column<string>(type: "text", nullable: false),
                    description = table.Column<string>(type: "text", nullable: false),
                    is_enabled = table.Column<bool>(type: "boolean", nullable: false),
                    language = table.Column<string>(type: "text", nullable: false),
                    embedding_model = table.Column<string>(type: "text", nullable: true),
                    chunk_tokens = table.Column<int>(type: "integer", nullable: false),
                    overlap_tokens = table.Column<int>(type: "integer", nullable: false),
                    search_max_records = table.Column<int>(type: "integer", nullable: false),
                    search_min_score = table.Column<double>(type: "double precision", nullable: false),
                    search_max_tokens = table.Column<int>(type: "integer", nullable: false),
                    match_instruction = table.Column<string>(type: "text", nullable: false),
                    mismatch_instruction = table.Column<string>(type: "text", nullable: false),
                    managed = table.Column<int>(type: "integer", nullable: false),
                    created_at = table.Column<DateTime>(type: "timestamp with time zone", nullable: false),
                    version = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_datasets", x => new { x.workspace_id, x.id });
                    table.ForeignKey(
                        name: "FK_datasets_workspaces_workspace_id",
                        column: x => x.workspace_id,
                        principalTable: "workspaces",
                        principalColumn: "id",
                        onDelete: ReferentialAction.Cascade);
                });

            migrationBuilder.CreateTable(
                name: "embedding_models",
                columns: table => new
                {
                    id = table.Column<Guid>(type: "uuid", nullable: false),
                    name = table.Column<string>(type: "text", nullable: false),
                    provider_id = table.Column<Guid>(type: "uuid", nullable: false),
                    upstream_model = table.Column<string>(type: "text", nullable: true),
                    dimensions = table.Column<int>(type: "integer", nullable: false),
                    price_input = table.Column<decimal>(type: "numeric", nullable: true),
                    managed = table.Column<int>(type: "integer", nullable: false),
                    version = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_embedding_models", x => x.id);
                    table.ForeignKey(
                        name: "FK_embedding_models_providers_provider_id",
                        column: x => x.provider_id,
                        principalTable: "providers",
                        principalColumn: "id",
                        onDelete: ReferentialAction.Restrict);
                });

            migrationBuilder.CreateTable(
                name: "hidden_steps",
                columns: table => new
                {
                    workspace_id = table.Column<Guid>(type: "uuid", nullable: false),
                    bot_id = table.Column<string>(type: "text", nullable: false),
                    call_id = table.Column<string>(type: "text", nullable: false),
                    turn_id = table.Column<Guid>(type: "uuid", nullable: false),
                    upstream_id = table.Column<string>(type: "text", nullable: false),
                    messages = table.Column<string>(type: "text", nullable: true),
                    expires_at = table.Column<DateTime>(type: "timestamp with time zone", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_hidden_steps", x => new { x.workspace_id, x.bot_id, x.call_id });
                    table.ForeignKey(
                        name: "FK_hidden_steps_workspaces_workspace_id",
                        column: x => x.workspace_id,
                        principalTable: "workspaces",
                        principalColumn: "id",
                        onDelete: ReferentialAction.Cascade);
                });

            migrationBuilder.CreateTable(
                name: "outside",
                columns: table => new
                {
                    id = table.Column<int>(type: "integer", nullable: false),
                    search_kind = table.Column<string>(type: "text", nullable: true),
                    search_url = table.Column<string>(type: "text", nullable: true),
                    search_api_key = table.Column<byte[]>(type: "bytea", nullable: true),
                    can_fetch = table.Column<bool>(type: "boolean", nullable: false),
                    egress_allow = table.Column<string[]>(type: "text[]", nullable: false),
                    managed = table.Column<int>(type: "integer", nullable: false),
                    version = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_outside", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "skillsets",
                columns: table => new
                {
                    workspace_id = table.Column<Guid>(type: "uuid", nullable: false),
                    id = table.Column<Guid>(type: "uuid", nullable: false),
                    name = table.Column<string>(type: "text", nullable: false),
                    description = table.Column<string>(type: "text", nullable: false),
                    is_enabled = table.Column<bool>(type: "boolean", nullable: false),
                    managed = table.Column<int>(type: "integer", nullable: false),
                    created_at = table.Column<DateTime>(type: "timestamp with time zone", nullable: false),
                    version = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_skillsets", x => new { x.workspace_id, x.id });
                    table.ForeignKey(
                        name: "FK_skillsets_workspaces_workspace_id",
                        column: x => x.workspace_id,
                        principalTable: "workspaces",
                        principalColumn: "id",
                        onDelete: ReferentialAction.Cascade);
                });

            migrationBuilder.CreateTable(
                name: "dataset_files",
                columns: table => new
                {
                    workspace_id = table.Column<Guid>(type: "uuid", nullable: false),
                    dataset_id = table.Column<Guid>(type: "uuid", nullable: false),
                    id = table.Column<Guid>(type: "uuid", nullable: false),
                    name = table.Column<string>(type: "text", nullable: false),
                    content = table.Column<byte[]>(type: "bytea", nullable: false),
                    hash = table.Column<byte[]>(type: "bytea", nullable: false),
                    managed = table.Column<int>(type: "integer", nullable: false),
                    created_at = table.Column<DateTime>(type: "timestamp with time zone", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_dataset_files", x => new { x.workspace_id, x.dataset_id, x.id });
                    table.ForeignKey(
                        name: "FK_dataset_files_datasets_workspace_id_dataset_id",
                        columns: x => new { x.workspace_id, x.dataset_id },
                        principalTable: "datasets",
                        principalColumns: new[] { "workspace_id", "id" },
                        onDelete: ReferentialAction.Cascade);
                });

            migrationBuilder.CreateTable(
                name: "jobs",
                columns: table => new
                {
                    workspace_id = table.Column<Guid>(type: "uuid", nullable: false),
                    id = table.Column<Guid>(type: "uuid", nullable: false),
                    dataset_id = table.Column<Guid>(type: "uuid", nullable: false),
                    file_id = table.Column<Guid>(type: "uuid", nullable: true),
                    state = table.Column<int>(type: "integer", nullable: false),
                    reason = table.Column<string>(type: "text", nullable: true),
                    total = table.Column<int>(type: "integer", nullable: false),
                    done = table.Column<int>(type: "integer", nullable: false),
                    tries = table.Column<int>(type: "integer", nullable: false),
                    instance = table.Column<Guid>(type: "uuid", nullable: true),
                    due_at = table.Column<DateTime>(type: "timestamp with time zone", nullable: false),
                    created_at = table.Column<DateTime>(type: "timestamp with time zone", nullable: false),
                    started_at = table.Column<DateTime>(type: "timestamp with time zone", nullable: true),
                    ended_at = table.Column<DateTime>(type: "timestamp with time zone", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_jobs", x => new { x.workspace_id, x.id });
                    table.ForeignKey(
                        name: "FK_jobs_datasets_workspace_id_dataset_id",
                        columns: x => new { x.workspace_id, x.dataset_id },
                        principalTable: "datasets",
                        principalColumns: new[] { "workspace_id", "id" },
                        onDelete: ReferentialAction.Cascade);
                });

            migrationBuilder.CreateTable(
                name: "lexemes",
                columns: table => new
                {
                    workspace_id = table.Column<Guid>(type: "uuid", nullable: false),
                    dataset_id = table.Column<Guid>(type: "uuid", nullable: false),
                    lexeme = table.Column<string>(type: "text", nullable: false),
                    chunks = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_lexemes", x => new { x.workspace_id, x.dataset_id, x.lexeme });
                    table.ForeignKey(
                        name: "FK_lexemes_datasets_workspace_id_dataset_id",
                        columns: x => new { x.workspace_id, x.dataset_id },
                        principalTable: "datasets",
                        principalColumns: new[] { "workspace_id", "id" },
                        onDelete: ReferentialAction.Cascade);
                });

            migrationBuilder.CreateTable(
                name: "records",
                columns: table => new
                {
                    workspace_id = table.Column<Guid>(type: "uuid", nullable: false),
                    dataset_id = table.Column<Guid>(type: "uuid", nullable: false),
                    id = table.Column<Guid>(type: "uuid", nullable: false),
                    file_id = table.Column<Guid>(type: "uuid", nullable: true),
                    position = table.Column<int>(type: "integer", nullable: false),
                    text = table.Column<string>(type: "text", nullable: false),
                    source = table.Column<string>(type: "text", nullable: false),
                    url = table.Column<string>(type: "text", nullable: true),
                    metadata = table.Column<string>(type: "jsonb", nullable: false),
                    created_at = table.Column<DateTime>(type: "timestamp with time zone", nullable: false),
                    updated_at = table.Column<DateTime>(type: "timestamp with time zone", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_records", x => new { x.workspace_id, x.dataset_id, x.id });
                    table.ForeignKey(
                        name: "FK_records_datasets_workspace_id_dataset_id",
                        columns: x => new { x.workspace_id, x.dataset_id },
                        principalTable: "datasets",
                        principalColumns: new[] { "workspace_id", "id" },
                        onDelete: ReferentialAction.Cascade);
                });

            migrationBuilder.CreateTable(
                name: "abilities",
                columns: table => new
                {
                    workspace_id = table.Column<Guid>(type: "uuid", nullable: false),
                    id = table.Column<Guid>(type: "uuid", nullable: false),
                    skillset_id = table.Column<Guid>(type: "uuid", nullable: false),
                    position = table.Column<int>(type: "integer", nullable: false),
                    name = table.Column<string>(type: "text", nullable: false),
                    description = table.Column<string>(type: "text", nullable: false),
                    kind = table.Column<int>(type: "integer", nullable: false),
                    parameters = table.Column<string>(type: "jsonb", nullable: false),
                    settings = table.Column<string>(type: "jsonb", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_abilities", x => new { x.workspace_id, x.id });
                    table.ForeignKey(
                        name: "FK_abilities_skillsets_workspace_id_skillset_id",
                        columns: x => new { x.workspace_id, x.skillset_id },
                        principalTable: "skillsets",
                        principalColumns: new[] { "workspace_id", "id" },
                        onDelete: ReferentialAction.Cascade);
                });

            migrationBuilder.CreateTable(
                name: "chunks",
                columns: table => new
                {
                    workspace_id = table.Column<Guid>(type: "uuid", nullable: false),
                    dataset_id = table.Column<Guid>(type: "uuid", nullable: false),
                    id = table.Column<Guid>(type: "uuid", nullable: false),
                    record_id = table.Column<Guid>(type: "uuid", nullable: false),
                    position = table.Column<int>(type: "integer", nullable: false),
                    text = table.Column<string>(type: "text", nullable: false),
                    tokens = table.Column<int>(type: "integer", nullable: false),
                    lexemes = table.Column<NpgsqlTsVector>(type: "tsvector", nullable: false),
                    vector = table.Column<byte[]>(type: "bytea", nullable: true),
                    vector_model = table.Column<string>(type: "text", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_chunks", x => new { x.workspace_id, x.dataset_id, x.id });
                    table.ForeignKey(
                        name: "FK_chunks_records_workspace_id_dataset_id_record_id",
                        columns: x => new { x.workspace_id, x.dataset_id, x.record_id },
                        principalTable: "records",
                        principalColumns: new[] { "workspace_id", "dataset_id", "id" },
                        onDelete: ReferentialAction.Cascade);
                });

            migrationBuilder.CreateIndex(
                name: "IX_abilities_workspace_id_skillset_id_name",
                table: "abilities",
                columns: new[] { "workspace_id", "skillset_id", "name" },
                unique: true);

            migrationBuilder.CreateIndex(
                name: "IX_audit_workspace_id_at",
                table: "audit",
                columns: new[] { "workspace_id", "at" });

            migrationBuilder.CreateIndex(
                name: "IX_chunks_lexemes",
                table: "chunks",
                column: "lexemes")
                .Annotation("Npgsql:IndexMethod", "gin");

            migrationBuilder.CreateIndex(
                name: "IX_chunks_workspace_id_dataset_id_record_id",
                table: "chunks",
                columns: new[] { "workspace_id", "dataset_id", "record_id" });

            migrationBuilder.CreateIndex(
                name: "IX_dataset_files_workspace_id_dataset_id_name",
                table: "dataset_files",
                columns: new[] { "workspace_id", "dataset_id", "name" },
                unique: true);

            migrationBuilder.CreateIndex(
                name: "IX_datasets_version",
                table: "datasets",
                column: "version");

            migrationBuilder.CreateIndex(
                name: "IX_datasets_workspace_id_name",
                table: "datasets",
                columns: new[] { "workspace_id", "name" },
                unique: true);

            migrationBuilder.CreateIndex(
                name: "IX_embedding_models_name",
                table: "embedding_models",
                column: "name",
                unique: true);

            migrationBuilder.CreateIndex(
                name: "IX_embedding_models_provider_id",
                table: "embedding_models",
                column: "provider_id");

            migrationBuilder.CreateIndex(
                name: "IX_hidden_steps_expires_at",
                table: "hidden_steps",
                column: "expires_at");

            migrationBuilder.CreateIndex(
                name: "IX_jobs_state_due_at",
                table: "jobs",
                columns: new[] { "state", "due_at" });

            migrationBuilder.CreateIndex(
                name: "IX_jobs_workspace_id_dataset_id_created_at",
                table: "jobs",
                columns: new[] { "workspace_id", "dataset_id", "created_at" });

            migrationBuilder.CreateIndex(
                name: "IX_records_workspace_id_dataset_id_file_id_position",
                table: "records",
                columns: new[] { "workspace_id", "dataset_id", "file_id", "position" });

            migrationBuilder.CreateIndex(
                name: "IX_skillsets_version",
                table: "skillsets",
                column: "version");

            migrationBuilder.CreateIndex(
                name: "IX_skillsets_workspace_id_name",
                table: "skillsets",
                columns: new[] { "workspace_id", "name" },
                unique: true);
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "abilities");

            migrationBuilder.DropTable(
                name: "audit");

            migrationBuilder.DropTable(
                name: "chunks");

            migrationBuilder.DropTable(
                name: "dataset_files");

            migrationBuilder.DropTable(
                name: "embedding_models");

            migrationBuilder.DropTable(
                name: "hidden_steps");

            migrationBuilder.DropTable(
                name: "jobs");

            migrationBuilder.DropTable(
                name: "lexemes");

            migrationBuilder.DropTable(
                name: "outside");

            migrationBuilder.DropTable(
                name: "skillsets");

            migrationBuilder.DropTable(
                name: "records");

            migrationBuilder.DropTable(
                name: "datasets");

            migrationBuilder.DropColumn(
                name: "step_list",
                table: "usage");

            migrationBuilder.DropColumn(
                name: "client_tools",
                table: "bots");

            migrationBuilder.DropColumn(
                name: "datasets",
                table: "bots");

            migrationBuilder.DropColumn(
                name: "depth",
                table: "bots");

            migrationBuilder.DropColumn(
                name: "expose_steps",
                table: "bots");

            migrationBuilder.DropColumn(
                name: "seconds",
                table: "bots");

            migrationBuilder.DropColumn(
                name: "skillsets",
                table: "bots");

            migrationBuilder.DropColumn(
                name: "steps",
                table: "bots");

            migrationBuilder.DropColumn(
                name: "team",
                table: "bots");

            migrationBuilder.DropColumn(
                name: "tool_calls",
                table: "bots");

            migrationBuilder.DropColumn(
                name: "turn_budget_usd",
                table: "bots");

            migrationBuilder.DropColumn(
                name: "web_search",
                table: "bots");
        }
    }
}
